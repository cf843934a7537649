import EventLoop
import Postgres
import SQL

/// Logs the sessions that block another one (`pg_blocking_pids`), asked on a second connection while it waits for a lock.
///
/// Sound as `@unchecked Sendable`: all that use it run on one loop.
final class BlockerWatch: @unchecked Sendable {
    private let configuration: PostgresConfiguration
    private let pid: Int32
    private let log: (String) -> Void
    private var connection: Connection?
    /// The blocking sessions, as they were seen last.
    private var blockers: String?
    private var said: Instant?

    /// Makes one that watches the session of a server process.
    init(_ configuration: PostgresConfiguration, pid: Int32, log: @escaping (String) -> Void) {
        (self.configuration, self.pid, self.log) = (configuration, pid, log)
    }

    /// ` for pid 7 (…)`, when the session was blocked; else nothing.
    var text: String { blockers.map { " for \($0)" } ?? "" }

    /// Runs `body`, and logs what blocks it.
    /// - Throws: what `body` throws.
    func watching(_ body: () async throws -> Void) async throws {
        guard let loop = Loop.current else { preconditionFailure("migrations run on a loop") }
        blockers = nil
        let watch = Task(executorPreference: loop) { [self] in
            while true {
                try await loop.sleep(for: .milliseconds(300))
                try await look()
            }
        }
        defer { watch.cancel() }
        try await body()
    }

    func close() { connection?.close() }

    private func look() async throws {
        if connection == nil { connection = try await Connection.open(configuration) }
        let statement: Statement = """
            SELECT string_agg(format('pid %s (%s, %s, %s for %s s): %s', pid, usename, \
            coalesce(nullif(application_name, ''), 'no name'), state, extract(epoch FROM now() - xact_start)::int, \
            left(regexp_replace(query, '\\s+', ' ', 'g'), 100)), '; ') \
            FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(\(pid)))
            """
        var row = try await connection?.execute(statement).row(0)
        guard let found = try row?.next(String?.self), !Task.isCancelled else { return }
        blockers = found
        guard said.map({ Instant.now.duration(since: $0) > .seconds(5) }) ?? true else { return }
        said = .now
        log("Waiting for \(found)")
    }
}
