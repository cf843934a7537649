import Web

/// The body of a streaming response. Writing suspends the producer until the peer has room for the bytes.
///
/// The head and the first bytes are buffered. If the producer fails before they are sent, the client can still receive
/// an error response instead.
///
/// The conformance to `@unchecked Sendable` is sound: an output is used on its connection's loop only.
final class Output: BodyWriter, @unchecked Sendable {
    private let connection: Connection
    /// The buffered bytes; `nil` once they were sent.
    private var buffer: [UInt8]?

    init(connection: Connection, head: ResponseHead) { (self.connection, buffer) = (connection, head.bytes) }

    /// The number of bytes above which the buffer is sent.
    private static let bufferLimit = 8192

    /// Whether any part of the response was sent.
    var hasBegun: Bool { buffer == nil }

    func write(_ bytes: [UInt8]) async throws {
        guard let count = buffer?.count else { return try await connection.write(bytes[...]) }
        buffer?.append(contentsOf: bytes)
        if count + bytes.count > Output.bufferLimit { try await flush() }
    }

    /// Sends the buffered bytes.
    func flush() async throws {
        if let bytes = buffer.take() { try await connection.write(bytes[...]) }
    }
}
