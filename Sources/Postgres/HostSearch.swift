import EventLoop

/// The search for the one of several servers that is as asked: all are asked at the same time. While one does not answer, as a machine
/// that is cut off or frozen, the others are asked again, because one of them may be about to take its place.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
final class HostSearch: @unchecked Sendable {
    private let loop: Loop
    private let found: Waiter<Session>
    /// What each server said last, if it is not as asked.
    private var errors: [PostgresError?]
    private var underWay: Int

    private init(_ count: Int, on loop: Loop) {
        self.loop = loop
        found = Waiter(on: loop)
        errors = Array(repeating: nil, count: count)
        underWay = count
    }

    /// Opens a session on the first server that is as asked.
    /// - Parameter servers: libpq's keywords and values for each.
    /// - Throws: `PostgresError` of kind `unreachable` when each has said no, or let its time run out.
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
