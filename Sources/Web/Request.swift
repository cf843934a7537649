import HTTPTypes

/// A request, as it came: nothing in it is decoded or checked.
public struct Request: Sendable {
    /// The method (RFC 9110, section 9).
    public var method: HTTPRequest.Method
    /// The target as it was sent, path and query, not percent-decoded (RFC 9112, section 3.2.1).
    public var target: String
    /// `http` or `https`, as the client used it.
    public var scheme: String
    /// Whether the client speaks HTTP/1.0, in which a body of unknown length ends with the connection: half of it looks like all of it
    /// (RFC 9112, section 6.3).
    public var isHTTP10 = false
    /// The header fields; `Host` is one of them.
    public var headers: HeaderFields
    /// The body, whole.
    public var body: [UInt8]
    /// What names this request in the response and in every line of the log.
    public var id: String
    /// The path of the route that answers, as it is mounted, with its parameters: `/campaigns/<id>`; empty before it is found.
    public internal(set) var route = ""
    /// Which servers the reads of the route may go to, as a middleware sees it.
    public internal(set) var reads = ReadPreference.primary
    /// Who sends it; `nil` when the application does not authenticate, or the route is open.
    public internal(set) var principal: Principal?
    /// The parts of the path that stand for the parameters of the route, percent-decoded.
    var parameters: [(name: String, value: String)] = []

    /// Makes a request.
    /// - Parameter id: what the server in front calls it. A usable `X-Request-Id` among `headers` wins; when neither is usable, one is
    ///   made.
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

    /// The part of the path that stands for the parameter `name`, percent-decoded; empty when the route has none of that name.
    public func parameter(_ name: String) -> String { parameters.first { $0.name == name }?.value ?? "" }

    /// The path, as it was sent.
    public var path: String { String(target[..<(target.utf8.firstIndex(of: 0x3f) ?? target.endIndex)]) }

    /// The URL of a path on this server: absolute, under the name that the client knows the server by. Without a usable `Host` it is
    /// the path alone, which a client resolves against the URL that it asked for (RFC 9110, section 10.2.2).
    public func url(_ path: String) -> String {
        guard let host = headers.value(of: .hostName), Request.isAuthority(host) else { return path }
        return "\(scheme)://\(host)\(path)"
    }

    /// Whether a value of `Host` is a DNS name, an IPv4 address or an IP literal, with or without a port (RFC 3986, section 3.2).
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

    /// A letter, a digit, `-`, `.`, `_` or `~` (RFC 3986, section 2.3).
    fileprivate var isUnreserved: Bool {
        isDigit || (0x61...0x7a).contains(self | 0x20) || self == 0x2d || self == 0x2e || self == 0x5f || self == 0x7e
    }
}
