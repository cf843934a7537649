import Web

/// The body of a response as it streams: what a producer writes waits here until the peer has room for it.
struct Output: BodyWriter {
    let connection: Connection

    func write(_ bytes: [UInt8]) async throws { try await connection.write(bytes[...]) }
}
