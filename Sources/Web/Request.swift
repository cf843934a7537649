import HTTPTypes

/// An HTTP request. The target is not percent-decoded; neither the target nor the body is validated.
public struct Request: Sendable {
    /// The method (RFC 9110, section 9).
    public var method: HTTPRequest.Method
    /// The request target in origin form: path and query, not percent-decoded (RFC 9112, section 3.2.1).
    public var target: String
    /// The scheme that the client uses: `http` or `https`.
    public var scheme: String
    /// Whether the client uses HTTP/1.0. In this version, a response body of unknown length ends when the connection is
    /// closed. Clients cannot detect that such a body is truncated (RFC 9112, section 6.3).
    public var isHTTP10 = false
    /// The header fields, including `Host`.
    public var headers: HeaderFields
    /// The complete request body.
    public var body: [UInt8]
    /// The request ID, which the response and all log lines of this request contain.
    public var id: String
    /// The path of the route that handles the request, with its prefix and parameters: `/campaigns/<id>`. The path is
    /// set only for the route's handler; in all middlewares it is empty.
    public internal(set) var route = ""
    /// The database servers that may execute the reads of the route. The property is set before the first middleware
    /// runs; in an application without middlewares, it is always `primary`.
    public internal(set) var reads = ReadPreference.primary
    /// The authenticated client; `nil` before authorization, when the application has no authorizer, or when the access
    /// of the route is `open`.
    public internal(set) var principal: Principal?
    /// The values of the route's parameters, percent-decoded.
    var parameters: [(name: String, value: String)] = []

    /// Creates a request.
    /// - Parameter id: the request ID assigned by the reverse proxy. A valid `X-Request-Id` in `headers` takes
    ///   precedence; when neither ID is valid, a new one is generated.
    public init(
        method: HTTPRequest.Method, target: String, scheme: String = "http", headers: HeaderFields = [:],
        body: [UInt8] = [],
        id: String? = nil
    ) {
        self.method = method
        self.target = target
        self.scheme = scheme
        self.headers = headers
        self.body = body
        self.id = RequestID.choose(client: headers.value(of: .requestID), server: id)
    }

    /// Returns the percent-decoded value of a parameter of the route; empty when the route has no parameter of that
    /// name.
    public func parameter(_ name: String) -> String { parameters.first { $0.name == name }?.value ?? "" }

    /// The path of the request target, not percent-decoded.
    public var path: String { String(target[..<(target.utf8.firstIndex(of: 0x3f) ?? target.endIndex)]) }

    /// Returns the absolute URL of a path on this server, with the host and port from `Host`. When `Host` is missing or
    /// invalid, returns only the path, which clients resolve against the URL of their request (RFC 9110, section
    /// 10.2.2).
    public func url(_ path: String) -> String {
        guard let host = headers.value(of: .hostName), Request.isAuthority(host) else { return path }
        return "\(scheme)://\(host)\(path)"
    }

    /// Whether a value of `Host` is a DNS name, an IPv4 address or an IP literal, optionally with a port (RFC 3986,
    /// section 3.2).
    private static func isAuthority(_ host: String) -> Bool {
        var host = host
        return host.withUTF8 { bytes in
            let isLiteral = bytes.first == UInt8(ascii: "[")
            let nameEnd =
                isLiteral
                ? bytes.firstIndex(of: UInt8(ascii: "]")).map { $0 + 1 }
                : bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            guard let nameEnd else { return false }
            let (name, port) = (bytes[..<nameEnd], bytes[nameEnd...])
            let isName =
                isLiteral
                ? name.count > 2 && name.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == 0x3a || $0 == 0x2e }
                : !name.isEmpty && name.allSatisfy(\.isUnreserved)
            return isName
                && (port.isEmpty || port.first == 0x3a && port.count <= 6 && port.dropFirst().allSatisfy(\.isDigit))
        }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }

    fileprivate var isHexDigit: Bool { isDigit || (0x61...0x66).contains(self | 0x20) }
}
