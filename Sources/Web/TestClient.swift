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
        public let headers: HTTPFields
        /// The body.
        public let body: [UInt8]

        /// The body as text.
        public var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as JSON; `nil` when it is none.
        public var json: JSON? { try? JSON(parsing: body) }
    }

    /// Sends a request and reads the whole response.
    /// - Throws: what a streamed body throws.
    public func send(
        _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: [UInt8] = []
    ) async throws -> Answer {
        var headers = headers
        if headers.value(of: .hostName) == nil { headers.append(.hostName, "localhost:5051") }
        let request = Request(method: method, target: target, headers: headers, body: body)
        let response = await application.respond(to: request)
        return Answer(status: response.status, headers: response.headers, body: try await Self.read(response.body))
    }

    /// Sends a request without a body.
    public func get(_ target: String, headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.get, target, headers: headers)
    }

    /// Sends text as a body, as JSON unless told otherwise.
    public func post(_ target: String, _ body: String, type: String? = "application/json") async throws -> Answer {
        try await send(.post, target, headers: type.map { [.contentType: $0] } ?? [:], body: Array(body.utf8))
    }

    private static func read(_ body: Response.Body) async throws -> [UInt8] {
        switch body {
        case .bytes(let bytes): return bytes
        case .stream(let produce):
            let collector = Collector()
            try await produce(collector)
            return await collector.bytes
        }
    }

    private actor Collector: BodyWriter {
        var bytes: [UInt8] = []
        func write(_ bytes: [UInt8]) { self.bytes += bytes }
    }
}
