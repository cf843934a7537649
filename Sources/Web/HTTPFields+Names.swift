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
    /// A name that no field has.
    fileprivate static let unused = Self("Unused")!
}

extension HTTPFields {
    /// The first value under a name. A look along the few fields that there are costs less than the index that a subscript
    /// makes.
    public func value(of name: HTTPField.Name) -> String? { first { $0.name == name }?.value }

    /// All values under a name.
    public func values(of name: HTTPField.Name) -> [String] { filter { $0.name == name }.map(\.value) }

    /// Appends a field.
    public mutating func append(_ name: HTTPField.Name, _ value: String) {
        append([HTTPField(name: name, value: value)])
    }

    /// Appends fields, each under its own name.
    ///
    /// Setting the fields of a name that is not there appends them in one specialized loop; `append(contentsOf:)` comes down to a generic
    /// `replaceSubrange`, which costs a thousand instructions a field.
    public mutating func append(_ fields: [HTTPField]) {
        reserveCapacity(Swift.max(8, count + fields.count))
        if contains(.unused) {
            replaceSubrange(endIndex..<endIndex, with: fields)
        } else {
            self[fields: .unused] = fields
        }
    }
}
