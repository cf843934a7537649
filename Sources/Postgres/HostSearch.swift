import EventLoop

/// Connects to the one of several servers that matches `target_session_attrs`. libpq tries hosts one after the other; this tries all at
/// once. While one does not answer (unreachable, frozen), the others are tried again, because one of them may be about to be promoted.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
final class HostSearch: @unchecked Sendable {
    private let loop: Loop
    private let found: Waiter<Session>
    /// Why the last connection to each server failed.
    private var errors: [PostgresError?]
    private var underWay: Int

    private init(_ count: Int, on loop: Loop) {
        self.loop = loop
        found = Waiter(on: loop)
        errors = Array(repeating: nil, count: count)
        underWay = count
    }

    /// Opens a session on the first server that matches.
    /// - Parameter servers: libpq's keywords and values for each.
    /// - Throws: `PostgresError` of kind `unreachable` when each has refused or timed out.
    static func session(on loop: Loop, _ servers: [[(keyword: String, value: String)]]) async throws -> Session {
        if servers.count == 1 { return try await loop.offload { try Session.open(servers[0]) } }
        let search = HostSearch(servers.count, on: loop)
        for (index, server) in servers.enumerated() {
            Task(executorPreference: loop) { await search.ask(server, index) }
        }
        return try await search.found.value()
    }

    private func ask(_ server: [(keyword: String, value: String)], _ index: Int) async {
        while true {
            do {
                let session = try await loop.offload { try Session.open(server) }
                // One that comes later is closed by being released.
                return found.resume(returning: session)
            } catch { errors[index] = error as? PostgresError ?? PostgresError(.unreachable, message: "\(error)") }
            underWay -= 1
            guard underWay > 0 else {
                let message = errors.compactMap { $0?.message }.joined(separator: "\n")
                return found.resume(throwing: PostgresError(.unreachable, message: message))
            }
            try? await loop.sleep(for: .milliseconds(250))
            guard !found.isResumed else { return }
            underWay += 1
        }
    }
}
