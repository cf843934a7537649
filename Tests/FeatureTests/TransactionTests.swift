import EventLoop
import ORM
import Postgres
import SQL
import TestSupport
import Testing

@testable import AktifyAPI

@Suite struct TransactionTests {
    struct Stop: Error {}

    private let test: TestDatabase

    init() throws { test = try migratedDatabase() }

    private func with(
        connections: Int = 4, _ body: @escaping @Sendable (Database) async throws -> Void
    ) throws {
        var configuration = try test.configuration()
        configuration.connections = connections
        try Loop.run { [configuration] in try await body(Database(configuration)) }
    }

    private func names() throws -> String {
        try test.sql("SELECT coalesce(string_agg(name, ',' ORDER BY id), '') FROM campaign")
    }

    private static func values(_ name: String) -> Campaign.ColumnValues { Campaign.ColumnValues(name: name) }

    @Test func `a body that returns is committed, and one that throws is rolled back`() throws {
        try with { database in
            try await database.transaction { inner in
                _ = try await inner.insert(Self.values("a"))
                _ = try await inner.insert(Self.values("b"))
            }
            await #expect(throws: Stop.self) {
                try await database.transaction { inner in
                    _ = try await inner.insert(Self.values("c"))
                    throw Stop()
                }
            }
        }
        #expect(try names() == "a,b")
    }

    @Test func `a nested transaction that throws is rolled back alone`() throws {
        try with { database in
            try await database.transaction { outer in
                _ = try await outer.insert(Self.values("a"))
                try await outer.transaction { _ = try await $0.insert(Self.values("b")) }
                do {
                    try await outer.transaction { inner in
                        _ = try await inner.insert(Self.values("c"))
                        try await inner.transaction { _ = try await $0.insert(Self.values("d")) }
                        _ = try await inner.execute("SELECT 1 / 0")
                    }
                } catch is PostgresError {}
                _ = try await outer.insert(Self.values("e"))
            }
        }
        #expect(try names() == "a,b,e")
    }

    @Test func `a nested transaction is rolled back alone, even if the cache of prepared statements is full`() throws {
        try with(connections: 1) { database in
            for number in 0..<256 { _ = try await database.read(Statement(unsafe: "SELECT \(number)")) }
            try await database.transaction { outer in
                _ = try await outer.insert(Self.values("a"))
                do {
                    try await outer.transaction { _ = try await $0.execute("SELECT 1 / 0") }
                } catch is PostgresError {}
                _ = try await outer.insert(Self.values("b"))
            }
        }
        #expect(try names() == "a,b")
    }

    @Test func `a nested transaction may be the first statement of the outer one`() throws {
        try with { database in
            try await database.transaction { outer in
                do {
                    try await outer.transaction { inner in
                        _ = try await inner.insert(Self.values("a"))
                        throw Stop()
                    }
                } catch is Stop {}
                _ = try await outer.insert(Self.values("b"))
            }
        }
        #expect(try names() == "b")
    }

    @Test func `an empty transaction sends nothing`() throws {
        try with { database in
            let (seven, statements) = try await recordingQueries { try await database.transaction { _ in 7 } }
            #expect(seven == 7 && statements.isEmpty)
        }
    }

    @Test func `a batch without statements sends nothing, in a causal session, too`() throws {
        try with { database in
            let session = CausalSession(reads: .primary)
            let results = try await CausalSession.$current.withValue(session) { try await database.execute([]) }
            #expect(results.isEmpty && session.written == nil)
        }
    }

    @Test func `an ignored error does not commit silently`() throws {
        try with { database in
            do {
                try await database.transaction { inner in
                    _ = try await inner.insert(Self.values("a"))
                    _ = try? await inner.execute("SELECT 1 / 0")
                }
                Issue.record("it was said to be committed")
            } catch let error as PostgresError {
                #expect(error.message == PostgresError.rolledBack.message && error.change == .notMade)
            }
        }
        #expect(try names() == "")
    }

    @Test func `conflicting transactions are retried, and none is lost`() throws {
        try test.sql("CREATE TABLE counter (n bigint); INSERT INTO counter VALUES (0)")
        try with(connections: 5) { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await database.transaction(.serializable) { inner in
                            var row = try await inner.read("SELECT n FROM counter").row(0)
                            let next = try row.next(Int64.self) + 1
                            try await inner.execute("UPDATE counter SET n = \(next)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(try test.sql("SELECT n FROM counter") == "4")
    }

    @Test func `a transaction in a deadlock is retried`() throws {
        try test.sql("CREATE TABLE pair (id bigint PRIMARY KEY, n bigint); INSERT INTO pair VALUES (1, 0), (2, 0)")
        try with { database in
            let loop = try #require(Loop.current)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for order in [[1, 2], [2, 1]] as [[Int64]] {
                    group.addTask {
                        try await database.transaction { inner in
                            try await inner.execute("UPDATE pair SET n = n + 1 WHERE id = \(order[0])")
                            try await loop.sleep(for: .milliseconds(50))
                            try await inner.execute("UPDATE pair SET n = n + 1 WHERE id = \(order[1])")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(try test.sql("SELECT sum(n) FROM pair") == "4")
    }

    @Test func `a transaction with a permanent conflict fails after the fourth attempt`() throws {
        try with { database in
            nonisolated(unsafe) var tries = 0  // Safe: everything happens on one event loop.
            do {
                try await database.transaction { inner in
                    tries += 1
                    try await inner.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
                }
            } catch let error as PostgresError {
                #expect(error.state == "40001")
            }
            #expect(tries == 4)
        }
    }

    @Test func `many rows are inserted in one packet, atomically`() throws {
        try with { database in
            let statements = ["a", "b"].map { Campaign.insert(Self.values($0).assignments) }
            try await database.execute(statements)
            let long = Campaign.insert(Self.values(String(repeating: "x", count: 256)).assignments)
            do { try await database.execute(statements + [long]) } catch let error as PostgresError {
                #expect(error.state == "22001")
            }
        }
        #expect(try names() == "a,b")
    }
}
