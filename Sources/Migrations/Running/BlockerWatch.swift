import EventLoop
import Postgres
import SQL

/// Logs the sessions that block a session (`pg_blocking_pids`) while that session waits for a lock. The blocking
/// sessions are polled on a second connection.
///
/// `@unchecked Sendable` is safe, since an instance is used on a single event loop only.
final class BlockerWatch: @unchecked Sendable {
    private let configuration: PostgresConfiguration
    private let pid: Int32
    private let log: (String) -> Void
    private var connection: Connection?
    /// The blocking sessions found most recently during the last statement, as text for a message; `nil` if there were
    /// none.
    private var blockers: String?
    /// When the blocking sessions were last logged.
    private var lastLogged: Instant?

    /// Creates a watch.
    /// - Parameters:
    ///   - configuration: how to open the second connection.
    ///   - pid: the server process of the watched session.
    ///   - log: receives the messages.
    init(_ configuration: PostgresConfiguration, pid: Int32, log: @escaping (String) -> Void) {
        (self.configuration, self.pid, self.log) = (configuration, pid, log)
    }

    /// The sessions that blocked the last statement, in the form ` for pid 7 (…)` to append to a message; empty if none
    /// did.
    var text: String { blockers.map { " for \($0)" } ?? "" }

    /// Runs `body`, and meanwhile logs the sessions that block the watched session.
    /// - Throws: The error of `body`.
    func watching(_ body: () async throws -> Void) async throws {
        guard let loop = Loop.current else { preconditionFailure("migrations run on a loop") }
        blockers = nil
        let watch = Task(executorPreference: loop) { [self] in
            while true {
                try await loop.sleep(for: .milliseconds(300))
                // The poll after one that fails opens a new connection.
                do { try await poll() } catch is PostgresError { connection?.close() }
            }
        }
        defer { watch.cancel() }
        try await body()
    }

    func close() { connection?.close() }

    /// Queries the blocking sessions, and logs them every 5 s at most.
    private func poll() async throws {
        if connection?.isOpen != true { connection = try await Connection.open(configuration) }
        let statement: Statement = """
            SELECT string_agg(format('pid %s (%s, %s, %s for %s s): %s', pid, usename, \
            coalesce(nullif(application_name, ''), 'no name'), state, extract(epoch FROM now() - xact_start)::int, \
            left(regexp_replace(query, '\\s+', ' ', 'g'), 100)), '; ') \
            FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(\(pid)))
            """
        var row = try await connection?.execute(statement).row(0)
        guard let found = try row?.next(String?.self), !Task.isCancelled else { return }
        blockers = found
        guard lastLogged.map({ Instant.now.duration(since: $0) > .seconds(5) }) ?? true else { return }
        lastLogged = .now
        log("Waiting for \(found)")
    }
}
