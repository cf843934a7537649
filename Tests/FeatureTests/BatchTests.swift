import EventLoop
import ORM
import Postgres
import SQL
import TestSupport
import Testing

@testable import AktifyAPI

/// Batches of statements that are sent in one packet: large batches, and stale prepared statements.
@Suite struct BatchTests {
    private let test: TestDatabase

    init() throws { test = try migratedDatabase() }

    private func with(_ body: @escaping @Sendable (Database) async throws -> Void) throws {
        let configuration = try test.configuration()
        try Loop.run { try await body(Database(configuration)) }
    }

    private static func number(_ result: Postgres.Result) throws -> Int64 {
        var row = result.row(0)
        return try row.next()
    }

    @Test func `none, thirty and three hundred new statements are sent in one packet, with and without a transaction`()
        throws
    {
        try with { database in
            #expect(try await database.execute([]).isEmpty)
            for count in [30, 31, 64, 300] {
                let statements = (0..<count).map { Statement(unsafe: "SELECT \($0 + count * 1000)::bigint") }
                let wanted = (0..<count).map { Int64($0 + count * 1000) }
                let alone = try await database.execute(statements).map(Self.number)
                #expect(alone == wanted)
                let together = try await database.transaction { try await $0.execute(statements).map(Self.number) }
                #expect(together == wanted)
            }
        }
    }

    @Test func `stale prepared statements are prepared again without an error`() throws {
        let test = test
        try test.sql("CREATE TABLE stale (n bigint); INSERT INTO stale VALUES (7)")
        try with { database in
            let wide: [Statement] = ["SELECT * FROM stale", "SELECT * FROM stale ORDER BY n"]
            for type in ["integer", "bigint", "integer", "bigint"] {
                try await database.execute(wide)
                try await database.transaction { _ = try await $0.execute(wide) }
                try test.sql("ALTER TABLE stale ALTER n TYPE \(type)")
                try await database.execute(wide)
                try test.sql("ALTER TABLE stale ADD x_\(type) bigint; ALTER TABLE stale DROP x_\(type)")
                try await database.transaction { _ = try await $0.execute(wide) }
            }
        }
    }

    @Test func `an update without values changes nothing, in Postgres as in memory`() throws {
        try with { database in
            for campaigns in [PostgresRepository<Campaign>(database), InMemoryRepository()]
                as [any Repository<Campaign>]
            {
                let campaign = try await campaigns.insert(Campaign.ColumnValues(name: "a"))
                #expect(try await campaigns.update(campaign.id, []) == campaign)
                #expect(try await campaigns.update(campaign.id + 1, []) == nil)
            }
        }
    }
}
