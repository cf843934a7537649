import EventLoop
import Foundation
import Logging
import SQL
import Synchronization
import TestSupport
import Testing

@testable import Postgres

/// The guarantees of a connection pool while connections are lost, tasks are cancelled, and many tasks wait.
@Suite struct PoolFaultTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    /// Terminates every session of the pool.
    private static func terminateAll(_ database: TestDatabase) throws {
        try database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    }

    /// Runs `body` repeatedly in a number of concurrent tasks, until `time` has elapsed.
    /// - Returns: how often `body` ran, in all tasks together.
    @discardableResult
    private static func repeating(
        _ tasks: Int, for time: Duration, _ body: @escaping @Sendable () async -> Void
    ) async -> Int {
        let end = Instant.now.advanced(by: time)
        return await withTaskGroup(of: Int.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var count = 0
                    while Instant.now < end {
                        await body()
                        count += 1
                    }
                    return count
                }
            }
            return await group.reduce(0, +)
        }
    }

    @Test(.ownSession) func `after repeated connection loss under load, reads and leases work`() throws {
        let database = database
        try database.withPool { pool in
            let loop = try #require(Loop.current)
            for _ in 0..<20 {
                async let reads = Self.repeating(12, for: .milliseconds(100)) { _ = try? await pool.read("SELECT 1") }
                async let leases = Self.repeating(12, for: .milliseconds(100)) {
                    _ = try? await pool.lease { try await $0.execute("SELECT 1") }
                }
                try await loop.sleep(for: .milliseconds(20))
                try await loop.offload { try Self.terminateAll(database) }
                _ = await (reads, leases)
                for _ in 0..<5 {
                    _ = try await pool.read("SELECT 1")
                    _ = try await pool.lease { try await $0.execute("SELECT 1") }
                }
            }
            #expect(pool.statistics.open <= 2 && pool.statistics.waiting == 0 && pool.statistics.leased == 0)
        }
    }

    @Test(.ownSession) func `connections that a lease finds closed are not given to reads, and others are opened`()
        throws
    {
        let database = database
        try database.withPool { pool in
            try await pool.lease { lease in
                _ = try await lease.execute("SELECT 1")
                _ = try await pool.read("SELECT 1")
            }
            // On the loop's thread, so that the lease checks before the loop can notice that the connections are
            // closed.
            try Self.terminateAll(database)
            usleep(100_000)
            _ = try await pool.lease { try await $0.execute("SELECT 1") }
            for _ in 0..<5 { _ = try await pool.read("SELECT 1") }
        }
    }

    @Test(.ownSession) func `a cancelled task's statement is cancelled, and nobody else's`() throws {
        let innocents = try database.withPool(connections: 3, acquireTimeout: .seconds(10)) { pool in
            let loop = try #require(Loop.current)
            // Statements that end at about the time of their cancellation, or of the cancel request.
            async let cancelling: Int = Self.repeating(4, for: .seconds(4)) {
                let isLong = Bool.random()
                let writing = Task(executorPreference: loop) {
                    let seconds = isLong ? 0.06 : 0.002
                    _ = try? await pool.lease { try await $0.execute("SELECT pg_sleep(\(seconds))") }
                }
                try? await loop.sleep(for: .microseconds(.random(in: 0...(isLong ? 20_000 : 4000))))
                writing.cancel()
                await writing.value
            }
            let failures = Failures()
            async let working: Int = Self.repeating(4, for: .seconds(4)) {
                do { _ = try await pool.lease { try await $0.execute("SELECT pg_sleep(0.001)") } } catch {
                    failures.add()
                }
            }
            _ = await (cancelling, working)
            return failures.count
        }
        #expect(innocents == 0)
    }

    @Test(.ownSession) func `no read runs inside a transaction of another task`() throws {
        let inside = try database.withPool(connections: 1, acquireTimeout: .seconds(10)) { pool in
            let failures = Failures()
            // A writer: it requests the connection that it returned to a read again in the same loop iteration.
            async let writing: Int = Self.repeating(1, for: .seconds(2)) {
                _ = try? await pool.lease { lease in
                    _ = try await lease.execute(["BEGIN", "SELECT pg_current_xact_id()"])
                    _ = try await lease.execute("SELECT 1")
                    _ = try await lease.execute("ROLLBACK")
                }
            }
            async let reading: Int = Self.repeating(8, for: .seconds(2)) {
                guard
                    let result = try? await pool.read("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
                else { return }
                var row = result.row(0)
                if (try? row.next(Bool.self)) != false { failures.add() }
            }
            _ = await (writing, reading)
            return failures.count
        }
        #expect(inside == 0)
    }

    @Test(.ownSession) func `leases that wait when connections are lost are served immediately`() throws {
        let database = database
        try database.withPool(statementTimeout: .seconds(20), acquireTimeout: .seconds(5)) { pool in
            let loop = try #require(Loop.current)
            _ = try await pool.read("SELECT 1")
            let holding = Task(executorPreference: loop) {
                _ = try? await pool.lease { try await $0.execute("SELECT pg_sleep(10)") }
            }
            try await loop.offload { try waitUntil("it sleeps") { try database.sleepers() == 1 } }
            let waiting = (0..<3).map { _ in
                Task(executorPreference: loop) { _ = try await pool.lease { try await $0.execute("SELECT 1") } }
            }
            try await loop.sleep(for: .milliseconds(50))
            let start = Instant.now
            try await loop.offload { try Self.terminateAll(database) }
            for task in waiting { try await task.value }
            await holding.value
            #expect(Instant.now.duration(since: start) < .seconds(2))
        }
    }

    @Test(.ownSession) func `with one connection, neither reads nor leases starve`() throws {
        let (reads, leases) = try database.withPool(connections: 1, acquireTimeout: .seconds(10)) { pool in
            async let leases = Self.repeating(8, for: .seconds(2)) {
                _ = try? await pool.lease { try await $0.execute("SELECT 1") }
            }
            async let reads = Self.repeating(8, for: .seconds(2)) { _ = try? await pool.read("SELECT 1") }
            return await (reads, leases)
        }
        #expect(reads > leases / 4 && leases > reads / 40, "\(reads) reads and \(leases) leases")
    }

    @Test(.ownSession) func `a write whose result does not arrive in time reports that its outcome is unknown`()
        throws
    {
        try database.withPool(connections: 1, statementTimeout: .milliseconds(100)) { pool in
            let result = try await pool.lease { try await $0.execute("SELECT pg_backend_pid()") }
            var row = result.row(0)
            let pid = try row.next(Int32.self)
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            do {
                _ = try await PostgresError.ofChange { try await pool.lease { try await $0.execute("SELECT 1") } }
                Issue.record("it was answered")
            } catch let error as PostgresError {
                #expect(error.kind == .deadline && error.change == .unknown)
            }
        }
    }

    @Test(.ownSession) func `a statement that follows a script on a new connection has a deadline`() throws {
        var configuration = try database.configuration()
        configuration.statementTimeout = .milliseconds(100)
        try Loop.run { [configuration] in
            let loop = try #require(Loop.current)
            let connection = try await Connection.open(configuration)
            try await connection.script("SELECT 1")
            var row = try await connection.execute("SELECT pg_backend_pid()").row(0)
            let pid = try row.next(Int32.self)
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            loop.schedule(at: loop.now.advanced(by: .seconds(3))) { kill(pid, SIGCONT) }
            do {
                _ = try await connection.execute("SELECT 1")
                Issue.record("it was answered")
            } catch let error as PostgresError {
                #expect(error.kind == .deadline)
            }
        }
    }

    @Test(.ownSession) func `a connection that is lost while it is validated is replaced`() throws {
        let configuration = try database.configuration()
        try Loop.run {
            let loop = try #require(Loop.current)
            nonisolated(unsafe) var isFirst = true  // Safe: everything happens on one event loop.
            let pool = Pool(configuration, log: Logger(label: "test")) { connection in
                if isFirst { connection.close() }
                isFirst = false
            }
            _ = try? await pool.read("SELECT 1")
            try await loop.sleep(for: .milliseconds(500))
            _ = try await pool.read("SELECT 1")
        }
    }

    @Test(.ownSession) func `a lease cannot be used after its end`() throws {
        try database.withPool { pool in
            nonisolated(unsafe) var kept: Lease?  // Safe: everything happens on one event loop.
            try await pool.lease { kept = $0 }
            do {
                _ = try await kept?.execute("SELECT 1")
                Issue.record("it was carried out")
            } catch let error as PostgresError {
                #expect(error.kind == .notSent)
            }
        }
    }

    @Test(.ownSession) func `altering a table while many read it causes no errors`() throws {
        let database = database
        try database.sql("CREATE TABLE stale (n bigint); INSERT INTO stale VALUES (7)")
        let failures = try database.withPool(connections: 1) { pool in
            let loop = try #require(Loop.current)
            let failures = Failures()
            async let reading: Int = Self.repeating(16, for: .seconds(2)) {
                // In separate loop iterations, so that others are in flight when one fails.
                try? await loop.sleep(for: .microseconds(.random(in: 0...2000)))
                do { _ = try await pool.read("SELECT * FROM stale") } catch { failures.add() }
            }
            for type in ["integer", "bigint", "integer", "bigint", "integer", "bigint"] {
                _ = try await loop.offload { try database.sql("ALTER TABLE stale ALTER n TYPE \(type)") }
                try await loop.sleep(for: .milliseconds(100))
            }
            _ = await reading
            return failures.count
        }
        #expect(failures == 0)
    }

    @Test(.ownSession) func `reads that queue behind long ones are executed in order`() throws {
        try database.withPool(
            connections: 1, statementTimeout: .milliseconds(500), acquireTimeout: .seconds(20)
        ) { pool in
            // In separate loop iterations, since reads of one iteration share a Sync and thus a deadline.
            let loop = try #require(Loop.current)
            _ = try await pool.read("SELECT 1")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<14 {
                    group.addTask { _ = try await pool.read("SELECT pg_sleep(0.1)") }
                    try await loop.sleep(for: .milliseconds(2))
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a constraint that is checked at the end of the transaction fails its statement`() throws {
        try database.sql(
            "CREATE TABLE late (n bigint UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO late VALUES (1)")
        try database.withPool { pool in
            do {
                _ = try await PostgresError.ofChange {
                    try await pool.lease { try await $0.execute("INSERT INTO late VALUES (1)") }
                }
                Issue.record("it was said to be stored")
            } catch let error as PostgresError {
                #expect(error.state == "23505")
            }
            _ = try await PostgresError.ofChange {
                try await pool.lease { try await $0.execute("INSERT INTO late VALUES (2)") }
            }
        }
        #expect(try database.sql("SELECT string_agg(n::text, ',' ORDER BY n) FROM late") == "1,2")
    }
}

/// Counts the failures in all tasks of a test.
private final class Failures: Sendable {
    private let number = Atomic(0)

    func add() { number.add(1, ordering: .relaxed) }
    var count: Int { number.load(ordering: .relaxed) }
}
