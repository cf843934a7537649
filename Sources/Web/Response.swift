import HTTPTypes

/// An HTTP response: a status, header fields, and a buffered or a streamed body.
public struct Response: Sendable {
    /// The body of a response.
    public enum Body: Sendable {
        /// A buffered body.
        case bytes([UInt8])
        /// A streamed body, of unknown length. The closure writes the body in chunks, with back pressure: each write
        /// waits until the connection has room for the chunk.
        case stream(@Sendable (any BodyWriter) async throws -> Void)
    }

    /// The status code.
    public var status: HTTPResponse.Status
    /// The header fields. The application adds `Content-Length` to responses with a buffered body.
    public var headers: HeaderFields
    /// The body, which is not sent with 204 and 304 (RFC 9110, section 6.4.1), nor in response to HEAD.
    public var body: Body
    /// The path of the route that matched the target, with its parameters: `/campaigns/<id>`; `nil` when no route
    /// matched.
    public internal(set) var route: String?

    /// Creates a response; by default without header fields and with an empty body.
    public init(_ status: HTTPResponse.Status, headers: HeaderFields = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Wraps the closure that writes a streamed body. Middlewares use this method to bind their task-local values while
    /// the body is sent.
    /// - Returns: whether the body is a stream; a buffered body is left unchanged.
    @discardableResult
    public mutating func wrapStream(
        _ wrap: @escaping @Sendable (_ produce: () async throws -> Void) async throws -> Void
    ) -> Bool {
        guard case .stream(let produce) = body else { return false }
        body = .stream { writer in try await wrap { try await produce(writer) } }
        return true
    }

    /// Creates a JSON response. The closure `write` must write one JSON value; a newline is appended.
    public static func json(
        _ status: HTTPResponse.Status = .ok, headers: HeaderFields = [:], _ write: (inout JSONWriter) -> Void
    ) -> Response {
        var writer = JSONWriter()
        write(&writer)
        // Leaves room for the header fields that the application adds.
        var fields = HeaderFields(capacity: headers.bytes.count + 256)
        fields.append(headers)
        fields.append(jsonField)
        return Response(status, headers: fields, body: .bytes(writer.finish()))
    }

    private static let jsonField: HeaderFields = [.contentType: "application/json"]

    /// Creates a JSON response that contains one value, followed by a newline.
    public static func json(
        _ value: some JSONWritable, status: HTTPResponse.Status = .ok, headers: HeaderFields = [:]
    ) -> Response {
        json(status, headers: headers) { value.write(to: &$0) }
    }
}

/// The destination of a streamed body.
public protocol BodyWriter: Sendable {
    /// Sends or buffers bytes, and waits while the connection has no room for them.
    /// - Throws: an error when the client has disconnected, or reads too slowly.
    func write(_ bytes: [UInt8]) async throws
}
