import HTTPTypes

extension HTTPField.Name {
    // Sound: both are tokens (RFC 9110, section 5.1).
    /// `X-Request-Id`, by which client, server and log name a request.
    public static let requestID = Self("X-Request-Id")!
    /// `Host`, as CGI passes it: one header field among the others.
    public static let hostName = Self("Host")!
}

extension HTTPFields {
    /// The first value under a name. A look along the few fields that there are costs less than the index that a subscript
    /// makes.
    public func value(of name: HTTPField.Name) -> String? { first { $0.name == name }?.value }

    mutating func append(_ name: HTTPField.Name, _ value: String) { append([HTTPField(name: name, value: value)]) }

    /// Adds fields at the end; `append(_:)` for a single one goes a longer way.
    public mutating func append(_ fields: [HTTPField]) { replaceSubrange(endIndex..<endIndex, with: fields) }
}
