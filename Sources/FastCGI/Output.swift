import Web

/// The body of a response as it streams: what a producer writes waits here until the peer has room for it.
///
/// The first bytes are held back, the head among them, so that a producer which fails soon can still be answered with an error.
///
/// Sound as `@unchecked Sendable`: it is touched on its connection's loop only.
final class Output: BodyWriter, @unchecked Sendable {
    private let connection: Connection
    /// What is held back; `nil` when it was sent.
    private var held: [UInt8]?

    init(connection: Connection, head: ResponseHead) { (self.connection, held) = (connection, head.bytes) }

    /// So many bytes are held back.
    private static let mostHeld = 8192

    /// Whether anything was sent.
    var hasBegun: Bool { held == nil }

    func write(_ bytes: [UInt8]) async throws {
        guard let count = held?.count else { return try await connection.write(bytes[...]) }
        held?.append(contentsOf: bytes)
        if count + bytes.count > Output.mostHeld { try await end() }
    }

    /// Sends what is held back.
    func end() async throws {
        if let bytes = held.take() { try await connection.write(bytes[...]) }
    }
}
