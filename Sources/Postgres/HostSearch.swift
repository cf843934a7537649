import EventLoop

/// A search among several servers for one that matches `target_session_attrs`, with an open session as the result.
///
/// libpq tries the hosts one after the other; this class tries all of them concurrently. While a server does not
/// respond (unreachable, frozen), the other servers are retried, because one of them may be about to be promoted.
///
/// `@unchecked Sendable` is sound because the search is used only on the thread of its event loop.
final class HostSearch: @unchecked Sendable {
    private let loop: Loop
    private let found: Waiter<Session>
    /// The error of the last attempt for each server.
    private var errors: [PostgresError?]
    /// The number of attempts in progress.
    private var attempts: Int

    private init(_ count: Int, on loop: Loop) {
        self.loop = loop
        found = Waiter(on: loop)
        errors = Array(repeating: nil, count: count)
        attempts = count
    }

    /// Opens a session on the first server that accepts a connection and matches `target_session_attrs`.
    /// - Parameters:
    ///   - loop: The event loop of the caller.
    ///   - servers: libpq's connection parameters (keywords and values) for each server.
    /// - Throws: `PostgresError` of kind `unreachable` when the last attempt for each server has failed and no attempt
    ///   is in progress.
    static func session(on loop: Loop, _ servers: [[(keyword: String, value: String)]]) async throws -> Session {
        if servers.count == 1 { return try await loop.offload { try Session.open(servers[0]) } }
        let search = HostSearch(servers.count, on: loop)
        for (index, server) in servers.enumerated() {
            Task(executorPreference: loop) { await search.connect(server, index) }
        }
        return try await search.found.value()
    }

    /// Tries to connect to one server repeatedly, until a session on any server has been opened or all attempts have
    /// failed.
    private func connect(_ server: [(keyword: String, value: String)], _ index: Int) async {
        while true {
            do {
                let session = try await loop.offload { try Session.open(server) }
                // A session that is opened after another one is closed by being deallocated.
                return found.resume(returning: session)
            } catch { errors[index] = error as? PostgresError ?? PostgresError(.unreachable, message: "\(error)") }
            attempts -= 1
            guard attempts > 0 else {
                let message = errors.compactMap { $0?.message }.joined(separator: "\n")
                return found.resume(throwing: PostgresError(.unreachable, message: message))
            }
            try? await loop.sleep(for: .milliseconds(250))
            guard !found.isResumed else { return }
            attempts += 1
        }
    }
}
