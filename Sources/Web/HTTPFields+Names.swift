import HTTPTypes

extension HTTPField.Name {
    // Sound: all are tokens (RFC 9110, section 5.1).
    /// `X-Request-Id`, by which client, server and log name a request.
    public static let requestID = Self("X-Request-Id")!
    /// `Host`, as CGI passes it: one header field among the others.
    public static let hostName = Self("Host")!
    /// `Prefer` (RFC 7240).
    public static let prefer = Self("Prefer")!
    /// `Preference-Applied` (RFC 7240).
    public static let preferenceApplied = Self("Preference-Applied")!
    /// `Link` (RFC 8288).
    public static let link = Self("Link")!
    /// `X-Total-Count`: how many rows a list has, whatever the limit.
    public static let totalCount = Self("X-Total-Count")!
    /// `Idempotency-Key`: the client's name for a request that is carried out once, however often it is sent.
    public static let idempotencyKey = Self("Idempotency-Key")!
}

extension HTTPFields {
    /// The first value under a name. A look along the few fields that there are costs less than the index that a subscript
    /// makes.
    public func value(of name: HTTPField.Name) -> String? { first { $0.name == name }?.value }

    /// All values under a name.
    public func values(of name: HTTPField.Name) -> [String] { filter { $0.name == name }.map(\.value) }

    mutating func append(_ name: HTTPField.Name, _ value: String) { append([HTTPField(name: name, value: value)]) }

    /// Adds fields at the end; `append(_:)` for a single one goes a longer way.
    public mutating func append(_ fields: [HTTPField]) { replaceSubrange(endIndex..<endIndex, with: fields) }
}
