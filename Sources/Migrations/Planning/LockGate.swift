import EventLoop
import Postgres
import SQL

/// Reads the locks of a statement that runs outside a transaction. The gate locks tables in another session, so that
/// the statement has to wait, and reads the statement's locks meanwhile.
struct LockGate {
    private let configuration: PostgresConfiguration
    private let tables: [String]

    init(_ configuration: PostgresConfiguration, tables: [String]) {
        (self.configuration, self.tables) = (configuration, tables)
    }

    /// Runs `body`, which executes a statement on `connection`. The gate unlocks its tables once the statement waits.
    /// - Returns: The locks that the statement held or waited for when it first waited: the columns `relation`, `mode`
    ///   and `granted` of `pg_locks`. The result is empty if the statement takes no lock that conflicts with SHARE
    ///   UPDATE EXCLUSIVE.
    /// - Throws: The error of `body`, or `PostgresError`.
    func locks(of connection: Connection, while body: () async throws -> Void) async throws -> [[String]] {
        guard let loop = Loop.current else { preconditionFailure("a gate needs a loop") }
        guard !tables.isEmpty else {
            try await body()
            return []
        }
        var row = try await connection.execute("SELECT pg_backend_pid()").row(0)
        let pid = try row.next(Int32.self)
        let gate = try await Connection.open(configuration)
        defer { gate.close() }
        // Building an index waits for all older snapshots: the monitor must not hold one, nor a transaction.
        let monitor = try await Connection.open(configuration)
        defer { monitor.close() }
        try await gate.script(
            """
            SET idle_in_transaction_session_timeout = 0; BEGIN; \
            LOCK TABLE \(tables.joined(separator: ", ")) IN SHARE UPDATE EXCLUSIVE MODE
            """)
        let watch = Task(executorPreference: loop) {
            defer { gate.close() }
            while !Task.isCancelled {
                let locks = try await monitor.rows(LockGate.locks(of: pid))
                if locks.contains(where: { $0[2] == "false" }) { return locks.filter { !$0[0].isEmpty } }
                try await loop.sleep(for: .milliseconds(5))
            }
            return []
        }
        defer { watch.cancel() }
        try await body()
        watch.cancel()
        do { return try await watch.value } catch is CancellationError { return [] }
    }

    private static func locks(of pid: Int32) -> Statement {
        """
        SELECT ARRAY[CASE WHEN locktype = 'relation' THEN relation::text ELSE '' END, mode, granted::text] \
        FROM pg_locks WHERE pid = \(pid)
        """
    }
}
