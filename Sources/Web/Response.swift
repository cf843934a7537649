import HTTPTypes

/// What is answered: a status, header fields, and a body that is there already or is made while it is sent.
public struct Response: Sendable {
    /// A response's body.
    public enum Body: Sendable {
        /// A body that is there already.
        case bytes([UInt8])
        /// A body that is written piece by piece, each piece when the client has room for it; its length is not known.
        case stream(@Sendable (any BodyWriter) async throws -> Void)
    }

    /// The status.
    public var status: HTTPResponse.Status
    /// The header fields; `Content-Length` is added for a body that is there already.
    public var headers: HeaderFields
    /// The body; not sent with 204 and 304, which have none (RFC 9110, section 6.4.1).
    public var body: Body
    /// The path of the route that answered, with its parameters: `/campaigns/<id>`; `nil` when it was none.
    public internal(set) var route: String?

    /// Makes a response.
    public init(_ status: HTTPResponse.Status, headers: HeaderFields = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Wraps the production of a streamed body: for a middleware whose task-local values must reach it.
    /// - Returns: whether the body is a stream.
    @discardableResult
    public mutating func wrapStream(
        _ wrap: @escaping @Sendable (_ produce: () async throws -> Void) async throws -> Void
    ) -> Bool {
        guard case .stream(let produce) = body else { return false }
        body = .stream { writer in try await wrap { try await produce(writer) } }
        return true
    }

    /// A JSON response: one value, and a newline.
    public static func json(
        _ status: HTTPResponse.Status = .ok, headers: HeaderFields = [:], _ write: (inout JSONWriter) -> Void
    ) -> Response {
        var writer = JSONWriter()
        write(&writer)
        // Room for what the application adds, too.
        var fields = HeaderFields(capacity: headers.bytes.count + 256)
        fields.append(headers)
        fields.append(jsonField)
        return Response(status, headers: fields, body: .bytes(writer.finish()))
    }

    private static let jsonField: HeaderFields = [.contentType: "application/json"]

    /// A JSON response of one value.
    public static func json(
        _ value: some JSONWritable, status: HTTPResponse.Status = .ok, headers: HeaderFields = [:]
    ) -> Response {
        json(status, headers: headers) { value.write(to: &$0) }
    }
}

/// Where a streamed body goes.
public protocol BodyWriter: Sendable {
    /// Sends bytes, and returns when there is room for more.
    /// - Throws: when the client is gone, or makes no room in time.
    func write(_ bytes: [UInt8]) async throws
}
