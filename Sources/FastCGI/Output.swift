import Web

/// The body of a response as it streams: what a producer writes waits here until the peer has room for it. The head goes before the
/// first bytes, so that a producer which fails before that can still be answered with an error.
///
/// Sound as `@unchecked Sendable`: it is touched on its connection's loop only.
final class Output: BodyWriter, @unchecked Sendable {
    private let connection: Connection
    private var head: ResponseHead?

    init(connection: Connection, head: ResponseHead) { (self.connection, self.head) = (connection, head) }

    /// Whether the head was written.
    var hasBegun: Bool { head == nil }

    func write(_ bytes: [UInt8]) async throws {
        try await end()
        try await connection.write(bytes[...])
    }

    /// Writes the head, unless it was written.
    func end() async throws {
        if let head = head.take() { try await connection.write(head.bytes[...]) }
    }
}
