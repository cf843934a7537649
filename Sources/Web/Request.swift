import HTTPTypes

/// A request, as it came: nothing in it is decoded or checked.
public struct Request: Sendable {
    /// The method (RFC 9110, section 9).
    public var method: HTTPRequest.Method
    /// The target as it was sent, path and query, not percent-decoded (RFC 9112, section 3.2.1).
    public var target: String
    /// `http` or `https`, as the client used it.
    public var scheme: String
    /// The header fields; `Host` is one of them.
    public var headers: HTTPFields
    /// The body, whole.
    public var body: [UInt8]
    /// What names this request in the response and in every line of the log.
    public var id: String
    /// The parts of the path that stand for the parameters of the route, percent-decoded.
    var parameters: [(name: String, value: String)] = []

    /// Makes a request.
    /// - Parameter id: what the server in front calls it. A usable `X-Request-Id` among `headers` wins; with neither, one is
    ///   made.
    public init(
        method: HTTPRequest.Method, target: String, scheme: String = "http", headers: HTTPFields = [:],
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

    /// The absolute URL of a path on this server, under the name that the client knows it by.
    public func url(_ path: String) -> String { "\(scheme)://\(headers.value(of: .hostName) ?? "localhost")\(path)" }
}
