import HTTPTypes

/// Lets tests ask an application without a server, as Flask's `test_client` does.
public struct TestClient: Sendable {
    private let application: Application

    /// Makes a client of an application.
    public init(_ application: Application) { self.application = application }

    /// A response whose body has been read to its end.
    public struct Answer: Sendable {
        /// The status.
        public let status: HTTPResponse.Status
        /// The header fields.
        public let headers: HeaderFields
        /// The body.
        public let body: [UInt8]

        fileprivate init(_ response: Response) {
            (status, headers) = (response.status, response.headers)
            body = if case .bytes(let bytes) = response.body { bytes } else { [] }
        }

        /// The body as text.
        public var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as JSON; `nil` when it is none.
        public var json: JSON? { try? JSON(parsing: body) }
    }

    /// Sends a request and reads the whole response.
    /// - Throws: what a streamed body throws.
    public func send(
        _ method: HTTPRequest.Method, _ target: String, headers: HeaderFields = [:], body: [UInt8] = []
    ) async throws -> Answer {
        var headers = headers
        if headers.value(of: .hostName) == nil { headers.append(.hostName, "localhost:5051") }
        let request = Request(method: method, target: target, headers: headers, body: body)
        let response = await application.respond(to: request)
        return try await read(response, to: request)
    }

    /// Reads the body to its end; one that fails before its first bytes is answered with the error, as a server does.
    private func read(_ response: Response, to request: Request) async throws -> Answer {
        guard case .stream(let produce) = response.body else { return Answer(response) }
        let collector = Collector()
        do { try await produce(collector) } catch {
            guard await collector.bytes.isEmpty else { throw error }
            return Answer(application.respond(to: request, with: error))
        }
        var whole = response
        whole.body = .bytes(await collector.bytes)
        return Answer(whole)
    }

    /// Sends a request without a body.
    public func get(_ target: String, headers: HeaderFields = [:]) async throws -> Answer {
        try await send(.get, target, headers: headers)
    }

    /// Sends text as a body, as JSON unless told otherwise.
    public func post(_ target: String, _ body: String, type: String? = "application/json") async throws -> Answer {
        try await send(.post, target, headers: type.map { [.contentType: $0] } ?? [:], body: Array(body.utf8))
    }

    private actor Collector: BodyWriter {
        var bytes: [UInt8] = []
        func write(_ bytes: [UInt8]) { self.bytes += bytes }
    }
}
