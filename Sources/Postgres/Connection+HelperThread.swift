import CLibPQ
import EventLoop
import Glibc

extension Connection {
    /// Opens a connection for the loop that the caller runs on. Looking the host up, TLS and the password's hashing block, so
    /// they are done on a helper thread.
    /// - Throws: `PostgresError` of kind `unreachable`, with libpq's own words.
    public static func open(_ configuration: PostgresConfiguration) async throws -> Connection {
        guard let loop = Loop.current else { preconditionFailure("a connection belongs to a loop: open it on one") }
        let parameters = configuration.parameters
        let opened = try await loop.offload { try Opened(parameters) }
        return try Connection(owning: opened.handle, on: loop, deadline: configuration.deadline)
    }

    /// Asks Postgres to give up what this connection is working on, which then fails with 57014.
    ///
    /// Only for a connection that one task has for itself: on a shared one it could hit somebody else's statement.
    func cancel() async {
        guard isOpen, let cancellation = Cancellation(handle) else { return }
        _ = try? await loop.offload { cancellation.send() }
    }
}

/// A connection on its way from the thread that opened it to the loop that uses it.
private struct Opened: @unchecked Sendable {
    // Sound: one owner at a time; the helper thread is done with it when the loop gets it.
    let handle: OpaquePointer

    init(_ parameters: [(keyword: String, value: String)]) throws {
        let keywords = parameters.map { strdup($0.keyword) }
        let values = parameters.map { strdup($0.value) }
        defer { (keywords + values).forEach { free($0) } }
        let handle = PQconnectdbParams(
            keywords.map { $0.map { UnsafePointer($0) } } + [nil], values.map { $0.map { UnsafePointer($0) } } + [nil],
            1)
        guard let handle, PQstatus(handle) == CONNECTION_OK else {
            defer { PQfinish(handle) }
            throw PostgresError(
                .unreachable, message: handle.map { String(cString: PQerrorMessage($0)) } ?? "out of memory")
        }
        self.handle = handle
    }
}

/// libpq's means to cancel from another thread, over a connection of its own.
///
/// Sound as `@unchecked Sendable`: libpq makes it for just this (Postgres manual, chapter 34.7), and it is freed once.
private final class Cancellation: @unchecked Sendable {
    private let handle: OpaquePointer

    init?(_ connection: OpaquePointer) {
        guard let handle = PQgetCancel(connection) else { return nil }
        self.handle = handle
    }

    deinit { PQfreeCancel(handle) }

    func send() {
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(handle, &message, Int32(message.count))
    }
}
