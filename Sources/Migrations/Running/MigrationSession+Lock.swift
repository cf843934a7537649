import EventLoop
import Postgres
import SQL

extension MigrationSession {
    /// The lock's key: the ASCII of "alembic", which nothing else has a reason to take. Advisory locks are a database's own.
    private static let lockKey: Int64 = 0x61_6c65_6d62_6963

    /// Waits for the lock that everybody takes who changes the schema; it is the session's, and ends with it.
    /// - Throws: `MigrationFailed` when it is not free in time, with who holds it.
    func lock(within limit: Duration, log: (String) -> Void) async throws {
        guard let loop = Loop.current else { preconditionFailure("migrations run on a loop") }
        let deadline = Instant.now.advanced(by: limit)
        var saidLast: Instant?
        while try await !tryLock() {
            let holder = try await holder()
            guard Instant.now < deadline else {
                throw MigrationFailed(
                    "the schema is being changed by somebody else: gave up after \(limit.components.seconds) s. \(holder)"
                )
            }
            if saidLast.map({ Instant.now.duration(since: $0) > .seconds(5) }) ?? true {
                log("Waiting for the migration lock. \(holder)")
                saidLast = .now
            }
            try await loop.sleep(for: .milliseconds(100))
        }
    }

    private func tryLock() async throws -> Bool {
        var row = try await connection.execute("SELECT pg_try_advisory_lock(\(Self.lockKey))").row(0)
        return try row.next()
    }

    /// The lock, as `pg_locks` has it.
    private static let heldLock = """
        locktype = 'advisory' AND granted AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = \(lockKey) \
        AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """

    /// Whether somebody else changes the schema now.
    func isLockedByAnother() async throws -> Bool {
        var row = try await connection.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE pid <> pg_backend_pid() AND \(unsafe: MigrationSession.heldLock))"
        ).row(0)
        return try row.next()
    }

    /// Fails when a revision has let go of the lock: somebody else may change the schema, too.
    /// - Throws: `MigrationFailed`.
    func checkLock() async throws {
        var row = try await connection.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND \(unsafe: MigrationSession.heldLock))"
        ).row(0)
        guard try row.next(Bool.self) else {
            throw MigrationFailed(
                "the migration lock is lost: a statement has let go of all advisory locks of the session")
        }
    }

    private func holder() async throws -> String {
        let result = try await connection.execute(
            """
            SELECT 'It is held by pid ' || pid || ' (' || coalesce(nullif(application_name, ''), 'no name') || \
            coalesce(' on ' || host(client_addr), '') || ') since ' || date_trunc('second', backend_start) || '.' \
            FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE \(unsafe: Self.heldLock) LIMIT 1
            """)
        return try result.texts().first ?? "Its holder has just let go."
    }
}
