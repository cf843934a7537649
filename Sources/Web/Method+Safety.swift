import HTTPTypes

extension HTTPRequest.Method {
    /// Whether the method is safe: essentially read-only (RFC 9110, section 9.2.1).
    public var isSafe: Bool { self == .get || self == .head || self == .options || self == .trace }
}
