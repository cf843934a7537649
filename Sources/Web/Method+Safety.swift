import HTTPTypes

extension HTTPRequest.Method {
    /// Whether a request of this method asks for no change (RFC 9110, section 9.2.1).
    public var isSafe: Bool { self == .get || self == .head || self == .options || self == .trace }
}
