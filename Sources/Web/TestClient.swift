import HTTPTypes

/// Sends requests to an application in tests, without a server, like Flask's `test_client`.
public struct TestClient: Sendable {
    private let application: Application

    /// Creates a client of an application.
    public init(_ application: Application) { self.application = application }

    /// A complete response, whose body has been collected.
    public struct CollectedResponse: Sendable {
        /// The status code.
        public let status: HTTPResponse.Status
        /// The header fields.
        public let headers: HeaderFields
        /// The complete body.
        public let body: [UInt8]

        fileprivate init(_ response: Response) {
            (status, headers) = (response.status, response.headers)
            body = if case .bytes(let bytes) = response.body { bytes } else { [] }
        }

        /// The body, decoded as UTF-8.
        public var text: String { String(decoding: body, as: UTF8.self) }

        /// The body, parsed as JSON; `nil` when the body is malformed.
        public var json: JSON? { try? JSON(parsing: body) }
    }

    /// Sends a request and returns the complete response. The field `Host` is `localhost:5051` unless `headers`
    /// contains another.
    /// - Throws: the error of a streamed body that fails after its first bytes.
    public func send(
        _ method: HTTPRequest.Method, _ target: String, headers: HeaderFields = [:], body: [UInt8] = []
    ) async throws -> CollectedResponse {
        var headers = headers
        if headers.value(of: .hostName) == nil { headers.append(.hostName, "localhost:5051") }
        let request = Request(method: method, target: target, headers: headers, body: body)
        let response = await application.respond(to: request)
        return try await read(response, to: request)
    }

    /// Collects the body of a response. As in a server, a streamed body that fails before its first bytes becomes an
    /// error response.
    private func read(_ response: Response, to request: Request) async throws -> CollectedResponse {
        guard case .stream(let produce) = response.body else { return CollectedResponse(response) }
        let collector = Collector()
        do { try await produce(collector) } catch {
            guard await collector.bytes.isEmpty else { throw error }
            return CollectedResponse(application.respond(to: request, with: error))
        }
        var whole = response
        whole.body = .bytes(await collector.bytes)
        return CollectedResponse(whole)
    }

    /// Sends a GET request.
    public func get(_ target: String, headers: HeaderFields = [:]) async throws -> CollectedResponse {
        try await send(.get, target, headers: headers)
    }

    /// Sends a POST request with a text body.
    /// - Parameter type: the value of `Content-Type`; `nil` sends none.
    public func post(_ target: String, _ body: String, type: String? = "application/json") async throws
        -> CollectedResponse
    {
        try await send(.post, target, headers: type.map { [.contentType: $0] } ?? [:], body: Array(body.utf8))
    }

    private actor Collector: BodyWriter {
        var bytes: [UInt8] = []
        func write(_ bytes: [UInt8]) { self.bytes += bytes }
    }
}
