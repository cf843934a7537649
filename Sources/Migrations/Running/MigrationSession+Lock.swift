import EventLoop
import Postgres
import SQL

extension MigrationSession {
    /// The key of the advisory lock: "alembic" in ASCII. Advisory locks are local to a database.
    private static let lockKey: Int64 = 0x61_6c65_6d62_6963

    /// Waits for the migration lock, which every command that changes the schema takes. It is a session-level advisory
    /// lock.
    /// - Throws: `MigrationFailed` with the lock's holder if it is not available within the limit.
    func lock(within limit: Duration, log: (String) -> Void) async throws {
        guard let loop = Loop.current else { preconditionFailure("migrations run on a loop") }
        let deadline = Instant.now.advanced(by: limit)
        var lastLogged: Instant?
        while try await !tryLock() {
            let holder = try await holder()
            guard Instant.now < deadline else {
                throw MigrationFailed(
                    "another session is changing the schema: timed out after \(limit.components.seconds) s. \(holder)"
                )
            }
            if lastLogged.map({ Instant.now.duration(since: $0) > .seconds(5) }) ?? true {
                log("Waiting for the migration lock. \(holder)")
                lastLogged = .now
            }
            try await loop.sleep(for: .milliseconds(100))
        }
    }

    private func tryLock() async throws -> Bool {
        var row = try await connection.execute("SELECT pg_try_advisory_lock(\(Self.lockKey))").row(0)
        return try row.next()
    }

    /// The SQL condition for rows of `pg_locks` that represent the granted migration lock.
    private static let heldLock = """
        locktype = 'advisory' AND granted AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = \(lockKey) \
        AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """

    /// Whether another session holds the migration lock.
    func isLockedByAnother() async throws -> Bool {
        var row = try await connection.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE pid <> pg_backend_pid() AND \(unsafe: MigrationSession.heldLock))"
        ).row(0)
        return try row.next()
    }

    /// Checks that the session still holds the migration lock, which a statement of a revision may have released.
    /// - Throws: `MigrationFailed` if the session no longer holds the lock.
    func checkLock() async throws {
        var row = try await connection.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND \(unsafe: MigrationSession.heldLock))"
        ).row(0)
        guard try row.next(Bool.self) else {
            throw MigrationFailed(
                "the migration lock was lost: a statement has released the session's advisory locks")
        }
    }

    /// Returns a sentence about the session that holds the lock. A role without `pg_read_all_stats` does not see the
    /// address and the start of another role's session.
    private func holder() async throws -> String {
        let result = try await connection.execute(
            """
            SELECT 'It is held by pid ' || pid || ' (' || coalesce(nullif(application_name, ''), 'no name') || \
            coalesce(' on ' || host(client_addr), '') || ')' || \
            coalesce(' since ' || date_trunc('second', backend_start), '') || '.' \
            FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE \(unsafe: Self.heldLock) LIMIT 1
            """)
        return try result.texts().first ?? "Its holder has just released it."
    }
}
