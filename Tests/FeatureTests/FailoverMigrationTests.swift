import EventLoop
import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

/// Migrations during a failover.
@Suite(.serialized) struct FailoverMigrationTests {
    /// Eight revisions that each take some time, one of them outside a transaction.
    private static func graph() throws -> RevisionGraph {
        try RevisionGraph(
            (1...8).map { number in
                let table = "CREATE TABLE t\(number) (id int); INSERT INTO t\(number) VALUES (\(number))"
                let up =
                    number == 5
                    ? "-- outside transaction\nCREATE INDEX CONCURRENTLY i5 ON t4 (id);"
                    : "\(table);\nSELECT pg_sleep(0.1);"
                return try revision("a\(number)", number == 1 ? "" : "a\(number - 1)", up)
            })
    }

    @Test(arguments: [150, 350, 600])
    func `a failover during a migration leaves each revision applied or not, and the next run applies the rest`(
        milliseconds: Int
    ) throws {
        let servers = try ReplicatedPostgres(isSynchronous: true)
        let configuration = servers.configuration
        let lines = Lines()
        let graph = try Self.graph()
        try Loop.run {
            let loop = try #require(Loop.current)
            let migrator = Migrator(graph: graph, configuration: configuration) { lines.add($0) }
            let first = Task(executorPreference: loop) { try await migrator.upgrade() }
            try await loop.sleep(for: .milliseconds(milliseconds))
            try servers.kill(servers.primary, SIGKILL)
            await #expect(throws: (any Error).self) { try await first.value }
            let second = Task(executorPreference: loop) { try await migrator.upgrade() }
            // There is no primary now.
            try await loop.sleep(for: .seconds(1))
            try servers.promote()
            try await second.value
            #expect(try await migrator.versions() == ["a8"])
        }
        #expect(lines.all.contains { $0.hasPrefix("Waiting for a primary: ") })
        let tables = (1...8).filter { $0 != 5 }.map { "SELECT id FROM t\($0)" }.joined(separator: " UNION ALL ")
        #expect(
            try servers.sql("SELECT string_agg(id::text, '' ORDER BY id) FROM (\(tables)) t", on: servers.standbys[0])
                == "1234678")
        #expect(
            try servers.sql(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i5'::regclass", on: servers.standbys[0]) == "t")
        let applied =
            "SELECT string_agg(revision, ' ' ORDER BY revision) FROM migration_history WHERE outcome = 'applied'"
        #expect(try servers.sql(applied, on: servers.standbys[0]) == "a1 a2 a3 a4 a5 a6 a7 a8")
    }

    @Test func `a migration does not wait for a server that cannot be reached`() throws {
        let configuration = PostgresConfiguration(
            server: .parts(host: "/nowhere", port: 5432, user: "postgres", password: "", database: "postgres"))
        let graph = try Self.graph()
        let start = Instant.now
        #expect(throws: PostgresError.self) {
            try Loop.run { try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade() }
        }
        #expect(Instant.now.duration(since: start) < .seconds(5))
    }

    @Test func `a migration does not wait when all servers refuse the connection`() throws {
        let servers = try ReplicatedPostgres()
        var configuration = servers.configuration
        configuration.database = "nowhere"
        let (graph, other) = (try Self.graph(), configuration)
        let start = Instant.now
        let error = #expect(throws: PostgresError.self) {
            try Loop.run { try await Migrator(graph: graph, configuration: other) { _ in }.upgrade() }
        }
        #expect(error?.isRefusal == true && Instant.now.duration(since: start) < .seconds(10))
        withExtendedLifetime(servers) {}
    }
}
