import EventLoop
import Foundation
import Postgres
import SQL
import TestSupport
import Testing

@Suite struct PoolTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private static func number(_ result: Result) throws -> Int64 {
        var row = result.row(0)
        return try row.next()
    }

    private static func pid(_ pool: Pool) async throws -> Int64 {
        try number(try await pool.read("SELECT pg_backend_pid()::bigint"))
    }

    private static func failure(_ body: () async throws -> Void) async -> PostgresError? {
        do { try await body() } catch { return error as? PostgresError }
        return nil
    }

    @Test func `text with a NUL is rejected by Postgres, not truncated`() throws {
        let error = try database.withPool { pool in await Self.failure { _ = try await pool.read("SELECT \("a\0b")") } }
        #expect(error?.state == "22021")
        #expect(error?.meaning == .malformedText)
    }

    @Test func `NULL for a non-optional type is an error, and so is a missing column`() throws {
        try database.withPool { pool in
            var null = try await pool.read("SELECT NULL::bigint").row(0)
            #expect(throws: DecodingError.self) { try null.next(Int64.self) }
            var short = try await pool.read("SELECT 1::bigint").row(0)
            _ = try short.next(Int64.self)
            #expect(throws: DecodingError.self) { try short.next(Int64.self) }
        }
    }

    @Test(.ownSession) func `many reads share one connection, and each gets its own result`() throws {
        let (answers, pids) = try database.withPool(connections: 1) { pool in
            try await withThrowingTaskGroup(of: (Int64, Int64, Int64).self) { group in
                for number in Int64(0)..<200 {
                    group.addTask {
                        var row = try await pool.read("SELECT \(number), pg_backend_pid()::bigint").row(0)
                        return (number, try row.next(), try row.next())
                    }
                }
                return try await group.reduce(into: (true, Set<Int64>())) { all, answer in
                    all.0 = all.0 && answer.0 == answer.1
                    all.1.insert(answer.2)
                }
            }
        }
        #expect(answers)
        #expect(pids.count == 1)
    }

    @Test(.ownSession) func `a statement is prepared once on its connection`() throws {
        let count = try database.withPool(connections: 1) { pool in
            for number in Int64(0)..<5 { _ = try await pool.read("SELECT \(number) + 1") }
            return try Self.number(
                try await pool.read("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1 + 1%'")
            )
        }
        #expect(count == 1)
    }

    @Test func `in a pipeline, a statement that fails does not affect the others`() throws {
        let outcomes = try database.withPool(connections: 1) { pool in
            await withTaskGroup(of: (Int64, Bool).self) { group in
                for number in Int64(0)..<10 {
                    group.addTask {
                        (number, await Self.failure { _ = try await pool.read("SELECT 10 / (\(number) - 5)") } == nil)
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
        }
        #expect(outcomes.count == 10)
        #expect(outcomes.filter { !$0.value }.map(\.key) == [5])
    }

    @Test func `reads of one loop iteration share a transaction, and thus a packet`() throws {
        let (transactions, later) = try database.withPool(connections: 1) { pool in
            _ = try await Self.pid(pool)
            let statement: Statement = "SELECT (extract(epoch FROM now()) * 1e6)::bigint"
            let together = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<20 { group.addTask { try Self.number(try await pool.read(statement)) } }
                return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
            }
            return (together, try Self.number(try await pool.read(statement)))
        }
        #expect(transactions.count == 1)
        #expect(!transactions.contains(later))
    }

    @Test func `an invalid statement fails each time, and does not affect others`() throws {
        try database.withPool(connections: 1) { pool in
            for _ in 0..<3 {
                let error = await Self.failure { _ = try await pool.read("SELECT no_such_column") }
                #expect(error?.state == "42703")
            }
            let seven = try Self.number(try await pool.read("SELECT 7::bigint"))
            #expect(seven == 7)
        }
    }

    @Test func `a statement with too many parameters is not sent again on other connections`() throws {
        try database.withPool { pool in
            try await pool.lease { _ in _ = try await pool.read("SELECT 1") }
            var text = Statement.Interpolation(literalCapacity: 0, interpolationCount: 0)
            text.appendLiteral("SELECT 1 WHERE 1 IN (0")
            for number in Int32(0)..<65_536 {
                text.appendLiteral(", ")
                text.appendInterpolation(number)
            }
            text.appendLiteral(")")
            let statement = Statement(stringInterpolation: text)
            let error = await Self.failure { _ = try await pool.read(statement) }
            #expect(error?.kind == .server && error?.meaning == .defect)
            #expect(pool.statistics.open == 1)
        }
    }

    @Test(.ownSession) func `Postgres cancels a statement that takes too long, and the connection stays usable`() throws
    {
        try database.withPool(connections: 1, statementTimeout: .milliseconds(100)) { pool in
            let before = try await Self.pid(pool)
            let error = await Self.failure { _ = try await pool.read("SELECT pg_sleep(5)") }
            #expect(error?.meaning == .timeout)
            #expect(try await Self.pid(pool) == before)
        }
    }

    @Test(.ownSession) func `an unresponsive connection is abandoned after the deadline`() throws {
        try database.withPool(connections: 1, statementTimeout: .milliseconds(100)) { pool in
            let pid = pid_t(try await Self.pid(pool))
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            let start = Instant.now
            let error = await Self.failure { _ = try await pool.read("SELECT 1") }
            #expect(error?.kind == .deadline)
            #expect(Instant.now.duration(since: start) < .seconds(2))
            #expect(try await Self.pid(pool) != Int64(pid))
        }
    }

    @Test(.ownSession) func `connections that ended while idle are replaced without an error`() throws {
        let database = database
        try database.withPool { pool in
            let before = try await Self.pid(pool)
            _ = try await pool.lease { try await $0.execute("SELECT 1") }
            try database.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            #expect(try await Self.pid(pool) != before)
            _ = try await pool.lease { try await $0.execute("SELECT 1") }
        }
    }

    @Test(.ownSession) func `a read whose connection is lost is sent again`() throws {
        let database = database
        try database.withPool(statementTimeout: .seconds(20)) { pool in
            let loop = try #require(Loop.current)
            let reading = Task(executorPreference: loop) {
                try Self.number(try await pool.read("SELECT 7::bigint FROM pg_sleep(2)"))
            }
            try await loop.offload { try waitUntil("it sleeps") { try database.terminateSleepers() == 1 } }
            #expect(try await reading.value == 7)
        }
    }

    @Test(.ownSession) func `a write whose connection is lost is not sent again`() throws {
        let database = database
        try database.sql("CREATE TABLE written (n bigint)")
        try database.withPool(statementTimeout: .seconds(20)) { pool in
            let loop = try #require(Loop.current)
            let writing = Task(executorPreference: loop) {
                await Self.failure {
                    _ = try await pool.lease { try await $0.execute("INSERT INTO written SELECT 1 FROM pg_sleep(10)") }
                }
            }
            try await loop.offload { try waitUntil("it sleeps") { try database.terminateSleepers() == 1 } }
            // According to the server, it was not executed.
            #expect(await writing.value?.kind == .terminated)
        }
        #expect(try database.sql("SELECT count(*) FROM written") == "0")
    }

    @Test func `reads continue while a connection is leased`() throws {
        try database.withPool { pool in
            try await pool.lease { connection in
                _ = try await connection.execute("SELECT 1")
                #expect(try await Self.pid(pool) > 0)
            }
        }
    }

    @Test func `the wait for a lease is limited by the configuration`() throws {
        let loopElapsed = try database.withPool(acquireTimeout: .milliseconds(100)) { pool in
            try await pool.lease { _ in
                let start = Instant.now
                let error = await Self.failure { try await pool.lease { _ in } }
                #expect(error?.kind == .busy)
                return Instant.now.duration(since: start)
            }
        }
        #expect(loopElapsed >= .milliseconds(99) && loopElapsed < .seconds(1))
    }

    @Test func `a server that does not respond to an attempt to connect is unreachable, not busy`() throws {
        let silent = try Socket.listening()
        let configuration = PostgresConfiguration(
            server: .parts(host: "127.0.0.1", port: UInt16(silent.port), user: "a", password: "", database: "a"),
            acquireTimeout: .milliseconds(100))
        let kind = try Loop.run {
            let pool = Pool(configuration)
            return await Self.failure { _ = try await pool.read("SELECT 1") }?.kind
        }
        #expect(kind == .unreachable)
        withExtendedLifetime(silent.socket) {}
    }

    @Test func `leases wait for each other, and all are served`() throws {
        let sum = try database.withPool { pool in
            try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in Int64(1)...20 {
                    group.addTask { try await pool.lease { try Self.number(try await $0.execute("SELECT \(number)")) } }
                }
                return try await group.reduce(0, +)
            }
        }
        #expect(sum == 210)
    }

    @Test(.ownSession) func `a connection that is returned in a transaction is rolled back and reused`() throws {
        try database.sql("CREATE TABLE written (n bigint)")
        let database = database
        try database.withPool { pool in
            let pid = try await pool.lease { connection in
                try await connection.script("BEGIN")
                _ = try await connection.execute("INSERT INTO written VALUES (1)")
                return try Self.number(try await connection.execute("SELECT pg_backend_pid()::bigint"))
            }
            #expect(try database.sql("SELECT count(*) FROM written") == "0")
            let next = try await pool.lease { try Self.number(try await $0.execute("SELECT pg_backend_pid()::bigint")) }
            #expect(pid == next)
        }
    }

    @Test(.ownSession) func `a stale prepared statement is prepared again without an error`() throws {
        let database = database
        try database.sql("CREATE TABLE stale (n bigint); INSERT INTO stale VALUES (7)")
        try database.withPool(connections: 1) { pool in
            let (narrow, wide): (Statement, Statement) = ("SELECT n::text FROM stale", "SELECT * FROM stale")
            _ = try await pool.read(narrow)
            _ = try await pool.read(wide)
            try database.sql("ALTER TABLE stale ALTER n TYPE integer")
            var row = try await pool.read(wide).row(0)
            let seven = try row.next(Int32.self)
            #expect(seven == 7)
            try await pool.lease { _ = try await $0.script("DEALLOCATE ALL") }
            row = try await pool.read(narrow).row(0)
            let text = try row.next(String.self)
            #expect(text == "7")
        }
    }

    @Test(.ownSession) func `at most 256 statements stay prepared: the recently used ones`() throws {
        let (count, kept) = try database.withPool(connections: 1) { pool in
            _ = try await pool.read("SELECT 'kept'")
            for number in 0..<300 {
                _ = try await pool.read(Statement(unsafe: "SELECT \(number)"))
                _ = try await pool.read("SELECT 'kept'")
            }
            let all = try Self.number(try await pool.read("SELECT count(*) FROM pg_prepared_statements"))
            let kept: Statement =
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT _kept_' AND name = 's1'"
            return (all, try Self.number(try await pool.read(kept)))
        }
        #expect((250...257).contains(count))
        #expect(kept == 1)
    }

    @Test func `unprepared statements work, and leave no prepared statements behind`() throws {
        var configuration = try database.configuration()
        configuration.prepares = false
        let count = try Loop.run { [configuration] in
            let pool = Pool(configuration)
            for number in Int64(0)..<5 {
                let sum = try Self.number(try await pool.read("SELECT \(number) + 1"))
                #expect(sum == number + 1)
            }
            return try Self.number(try await pool.read("SELECT count(*) FROM pg_prepared_statements"))
        }
        #expect(count == 0)
    }

    @Test(arguments: [true, false])
    func `sessions use UTC, whatever the time zone of the server is`(prepares: Bool) throws {
        try database.sql("ALTER DATABASE \(database.name) SET timezone = 'Asia/Tokyo'")
        var configuration = try database.configuration()
        // PgBouncer rejects the options of the startup message.
        configuration.prepares = prepares && !TestDatabase.isPooled
        let offset = try Loop.run { [configuration] in
            try Self.number(
                try await Pool(configuration).read(
                    "SELECT extract(hour FROM now()::timestamp - now() AT TIME ZONE 'UTC')::bigint"))
        }
        #expect(offset == 0)
    }

    @Test func `the statements of one packet are executed atomically`() throws {
        try database.sql("CREATE TABLE written (n bigint)")
        let database = database
        try database.withPool { pool in
            let results = try await pool.lease {
                try await $0.execute(["INSERT INTO written VALUES (1)", "SELECT 7::bigint", "SELECT 8::bigint"])
            }
            let eight = try Self.number(results[2])
            #expect(results.count == 3 && results[0].affected == 1 && eight == 8)
            let error = await Self.failure {
                _ = try await pool.lease {
                    try await $0.execute(["INSERT INTO written VALUES (2)", "SELECT 1 / 0", "SELECT 2"])
                }
            }
            #expect(error?.state == "22012")
            #expect(try database.sql("SELECT count(*) FROM written") == "1")
        }
    }

    @Test func `a pool reports statistics of its connections`() throws {
        try database.withPool { pool in
            #expect(pool.statistics.open == 0)
            _ = try await pool.read("SELECT 1")
            try await pool.lease { _ in
                #expect(pool.statistics.leased == 1)
                _ = try await pool.read("SELECT 1")
            }
            let now = pool.statistics
            #expect(now.open == 2 && now.leased == 0 && now.idle == 2 && now.inFlight == 0 && now.waiting == 0)
        }
    }

    @Test(.ownSession) func `a connection to a server that has become read-only is closed`() throws {
        try database.withPool { pool in
            let before = try await Self.pid(pool)
            let error = await Self.failure {
                try await pool.lease { connection in
                    _ = try await connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
                    _ = try await connection.execute("CREATE TABLE never (n bigint)")
                }
            }
            #expect(error?.state == "25006")
            #expect(try await Self.pid(pool) != before)
        }
    }

    @Test(.ownSession) func `cancelling the task of a lease cancels its statement`() throws {
        try database.withPool(statementTimeout: .seconds(20)) { pool in
            let loop = try #require(Loop.current)
            let start = Instant.now
            let writing = Task(executorPreference: loop) {
                await Self.failure { _ = try await pool.lease { try await $0.execute("SELECT pg_sleep(10)") } }
            }
            try await loop.sleep(for: .milliseconds(200))
            writing.cancel()
            #expect(await writing.value?.state == "57014")
            #expect(Instant.now.duration(since: start) < .seconds(3))
        }
    }

    @Test func `an unreachable database fails quickly, and is not tried for each request`() throws {
        let configuration = PostgresConfiguration(
            server: .parts(host: "/nowhere", port: 5432, user: "x", password: "", database: "x"))
        try Loop.run {
            let pool = Pool(configuration)
            let first = await Self.failure { _ = try await pool.read("SELECT 1") }
            #expect(first?.kind == .unreachable)
            let start = Instant.now
            for _ in 0..<1000 {
                let error = await Self.failure { _ = try await pool.read("SELECT 1") }
                #expect(error?.kind == .unreachable)
            }
            #expect(Instant.now.duration(since: start) < .seconds(1))
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// For tests that inspect a Postgres session. With PgBouncer's transaction pooling, sessions change between
    /// transactions.
    static var ownSession: Self { .disabled(if: TestDatabase.isPooled, "it looks at a session of its own") }
}
