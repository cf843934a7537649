import EventLoop
import Postgres
import TestSupport

@testable import Migrations

/// A table of a million rows that several connections write to continuously, while its schema changes.
struct TableInUse {
    let database: TestDatabase
    /// A connection whose search path begins with the schema `wanted`, which contains the target tables, without rows.
    private let wanted: Connection
    private let writes: Writes

    /// The statements that create the tables, without rows.
    private static let tables = """
        CREATE TABLE kind (id integer PRIMARY KEY);
        CREATE TABLE big (id bigserial PRIMARY KEY, code bigserial, n integer, kind integer, old integer);
        CREATE INDEX big_old ON big (old)
        """

    /// Runs `body` under a load of 50 writes per second.
    static func run(
        in database: TestDatabase, _ body: @escaping @Sendable (TableInUse) async throws -> Void
    ) throws {
        let configuration = database.directConfiguration()
        try database.sql(
            """
            \(tables); INSERT INTO kind SELECT generate_series(1, 10);
            INSERT INTO big (n, kind, old) SELECT i % 1000, i % 10 + 1, i FROM generate_series(1, 1000000) i;
            ALTER TABLE big SET (autovacuum_enabled = off); ANALYZE big
            """)
        try Loop.run {
            let wanted = try await Connection.open(configuration)
            defer { wanted.close() }
            try await wanted.script("CREATE SCHEMA wanted; SET search_path = wanted; \(tables)")
            let table = TableInUse(database: database, wanted: wanted, writes: Writes())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 { group.addTask { try await table.writes.go(on: configuration) } }
                defer { table.writes.end() }
                try await body(table)
                table.writes.end()
                try await group.waitForAll()
            }
        }
    }

    /// Applies `sql` to the target tables, and migrates the tables in use with the generated revision.
    /// - Returns: the longest duration of a write and the number of writes during the migration, and its plan.
    func change(_ sql: String) async throws -> (longest: Duration, count: Int, plan: MigrationPlan) {
        try await wanted.script(sql)
        let configuration = database.directConfiguration()
        let sections = try await difference().sections
        let revision = try revision("b2", "a1", sections.upgrade, sections.downgrade)
        let findings = Lint.findings(in: revision)
        guard findings.isEmpty else { throw MigrationFailed("\(findings)\n\(sections.upgrade)") }
        var options = Migrator.Options()
        options.allowsDataLoss = true
        let graph = try RevisionGraph([try FeatureTests.revision("a1", "", "SELECT 1;"), revision])
        let migrator = Migrator(graph: graph, configuration: configuration, options: options) { _ in }
        try await migrator.stamp("a1")
        let plan = try await Planner(graph: graph, configuration: configuration).plan()
        writes.begin()
        try await migrator.upgrade()
        // Writes that are still waiting count, too.
        try await Loop.current?.sleep(for: .milliseconds(200))
        return (writes.longest, writes.count, plan)
    }

    /// Locks the table, as an unsafe change would.
    /// - Returns: the longest duration of a write while the table was locked.
    func lock(for duration: Duration) async throws -> Duration {
        writes.begin()
        let seconds = Double(duration.milliseconds) / 1000
        try await wanted.script("BEGIN; LOCK TABLE public.big; SELECT pg_sleep(\(seconds)); COMMIT")
        try await Loop.current?.sleep(for: .milliseconds(200))
        return writes.longest
    }

    /// Returns the changes that turn the tables in use into the target tables.
    func difference() async throws -> [Change] {
        let actual = try await Catalog(reading: database.directConfiguration())
        return Differences(actual: actual, wanted: try await Catalog(reading: wanted)).changes
    }
}

/// The writers and their statistics. Safe as `@unchecked Sendable`: everything runs on one event loop's thread.
private final class Writes: @unchecked Sendable {
    private var isEnded = false
    private(set) var longest = Duration.zero
    private(set) var count = 0

    func begin() { (longest, count) = (.zero, 0) }

    func end() { isEnded = true }

    /// Makes up to ten writes per second, until `end()` is called or a write fails.
    func go(on configuration: PostgresConfiguration) async throws {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        while !isEnded {
            let start = Instant.now
            try await write(connection)
            let taken = Instant.now.duration(since: start)
            try await Loop.current?.sleep(for: max(.milliseconds(1), .milliseconds(100) - taken))
        }
    }

    /// Inserts or updates one row, and records the duration, even if the statement fails, for example by a timeout.
    private func write(_ connection: Connection) async throws {
        let start = Instant.now
        defer { (longest, count) = (max(longest, Instant.now.duration(since: start)), count + 1) }
        try await connection.script(
            count.isMultiple(of: 2)
                ? "INSERT INTO big (n, kind) VALUES (1, 2)"
                : "UPDATE big SET n = n + 1 WHERE id = \(Int.random(in: 1...1_000_000))")
    }
}
