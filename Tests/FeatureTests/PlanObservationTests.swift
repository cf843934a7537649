import EventLoop
import Postgres
import SQL
import TestSupport
import Testing

@testable import Migrations

/// The plan of a statement agrees with the Postgres manual, and with what the upgrade then does.
@Suite struct PlanObservationTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    struct Case: CustomTestStringConvertible, Sendable {
        let sql: String
        /// The strongest lock on each table, sequence or view, and on the index that the statement names, according to
        /// the Postgres manual.
        let locks: [String: LockMode]
        var effects: [PlannedEffect] = []
        var isOutside = false

        var testDescription: String { sql }
    }

    private static let one = "public.one"
    private static let scan = PlannedEffect.scans(one, times: 1)

    /// Statements with their locks and effects according to the Postgres manual: section 13.3.1 on lock modes, and the
    /// pages of the commands, especially ALTER TABLE.
    static let cases: [Case] = [
        // A column without a default, or with a constant one, rewrites nothing; a volatile one does.
        Case(sql: "ALTER TABLE one ADD m int", locks: [one: .accessExclusive]),
        Case(sql: "ALTER TABLE one ADD m int NOT NULL DEFAULT 7", locks: [one: .accessExclusive]),
        Case(
            sql: "ALTER TABLE one ADD m uuid DEFAULT gen_random_uuid()", locks: [one: .accessExclusive],
            effects: [.rewrites(one)]),
        Case(
            sql: "ALTER TABLE one ADD m float DEFAULT random()", locks: [one: .accessExclusive],
            effects: [.rewrites(one)]),
        Case(sql: "ALTER TABLE one DROP note", locks: [one: .accessExclusive]),
        // A type with another representation rewrites the table; a longer varchar has the same one.
        Case(sql: "ALTER TABLE one ALTER n TYPE bigint", locks: [one: .accessExclusive], effects: [.rewrites(one)]),
        Case(sql: "ALTER TABLE one ALTER name TYPE varchar(20)", locks: [one: .accessExclusive]),
        Case(sql: "ALTER TABLE one ALTER name TYPE text", locks: [one: .accessExclusive]),
        // A valid CHECK that implies NOT NULL avoids the scan.
        Case(sql: "ALTER TABLE one ALTER note SET NOT NULL", locks: [one: .accessExclusive], effects: [scan]),
        Case(sql: "ALTER TABLE one ALTER n SET NOT NULL", locks: [one: .accessExclusive]),
        Case(sql: "ALTER TABLE one ADD CHECK (n > -5)", locks: [one: .accessExclusive], effects: [scan]),
        Case(sql: "ALTER TABLE one ADD CHECK (n > -5) NOT VALID", locks: [one: .accessExclusive]),
        Case(
            sql: "ALTER TABLE one VALIDATE CONSTRAINT unchecked", locks: [one: .shareUpdateExclusive], effects: [scan]),
        Case(
            sql: "ALTER TABLE one ADD FOREIGN KEY (parent) REFERENCES two",
            locks: [one: .shareRowExclusive, "public.two": .shareRowExclusive],
            effects: [scan, .scans("public.two", times: 1)]),
        Case(
            sql: "ALTER TABLE one ADD FOREIGN KEY (parent) REFERENCES two NOT VALID",
            locks: [one: .shareRowExclusive, "public.two": .shareRowExclusive]),
        Case(
            sql: "ALTER TABLE one VALIDATE CONSTRAINT unchecked_key",
            locks: [one: .shareUpdateExclusive, "public.two": .rowShare],
            effects: [scan, .scans("public.two", times: 1)]),
        Case(
            sql: "ALTER TABLE one ADD UNIQUE (note)", locks: [one: .accessExclusive],
            effects: [.builds(index: "public.one_note_key", on: one)]),
        Case(
            sql: "ALTER TABLE one ADD CONSTRAINT one_n_key UNIQUE USING INDEX one_n", locks: [one: .accessExclusive]),
        Case(
            sql: "CREATE INDEX one_note ON one (note)", locks: [one: .share],
            effects: [.builds(index: "public.one_note", on: one)]),
        // This scans the table twice.
        Case(
            sql: "CREATE INDEX CONCURRENTLY one_note ON one (note)", locks: [one: .shareUpdateExclusive],
            effects: [.builds(index: "public.one_note", on: one), scan], isOutside: true),
        Case(sql: "DROP INDEX one_name", locks: [one: .accessExclusive, "public.one_name": .accessExclusive]),
        Case(sql: "DROP INDEX CONCURRENTLY one_name", locks: [one: .shareUpdateExclusive], isOutside: true),
        Case(sql: "ALTER INDEX one_name RENAME TO other", locks: ["public.one_name": .shareUpdateExclusive]),
        Case(
            sql: "REINDEX INDEX one_name", locks: [one: .share, "public.one_name": .accessExclusive],
            effects: [.builds(index: "public.one_name", on: one)]),
        Case(
            sql: "REINDEX INDEX CONCURRENTLY one_name", locks: [one: .shareUpdateExclusive],
            effects: [.builds(index: "public.one_name", on: one), scan], isOutside: true),
        // The triggers of a foreign key are also dropped from the table that it references.
        Case(
            sql: "DROP TABLE one",
            locks: [one: .accessExclusive, "public.one_id_seq": .accessExclusive, "public.two": .accessExclusive]),
        Case(
            sql: "ALTER TABLE one DROP CONSTRAINT unchecked_key",
            locks: [one: .accessExclusive, "public.two": .accessExclusive]),
        Case(sql: "TRUNCATE one", locks: [one: .accessExclusive], effects: [.truncates(one)]),
        Case(sql: "UPDATE one SET note = 'x'", locks: [one: .rowExclusive], effects: [scan, .changesRows(one)]),
        Case(sql: "UPDATE one SET note = 'x' WHERE id = 1", locks: [one: .rowExclusive], effects: [.changesRows(one)]),
        Case(sql: "DELETE FROM one WHERE id = 1", locks: [one: .rowExclusive], effects: [.changesRows(one)]),
        Case(
            sql: "INSERT INTO one (n, note) VALUES (0, 'y')",
            locks: [one: .rowExclusive, "public.one_id_seq": .rowExclusive]),
        Case(sql: "SELECT count(*) FROM one WHERE note = 'x'", locks: [one: .accessShare], effects: [scan]),
        Case(
            sql: "DO $$ BEGIN EXECUTE 'ALTER ' || 'TABLE one ALTER n TYPE bigint'; END $$",
            locks: [one: .accessExclusive], effects: [.rewrites(one)]),
        Case(
            sql: "CREATE TRIGGER t AFTER INSERT ON one EXECUTE FUNCTION f()", locks: [one: .shareRowExclusive]),
        Case(sql: "COMMENT ON TABLE one IS 'x'", locks: [one: .shareUpdateExclusive]),
        Case(sql: "ALTER TABLE one ALTER n SET STATISTICS 50", locks: [one: .shareUpdateExclusive]),
        Case(sql: "ALTER TABLE one SET (fillfactor = 90)", locks: [one: .shareUpdateExclusive]),
        Case(sql: "ALTER SEQUENCE s INCREMENT 2", locks: ["public.s": .shareRowExclusive]),
        Case(sql: "ALTER TABLE one RENAME TO other", locks: [one: .accessExclusive]),
        Case(sql: "ALTER TABLE one RENAME n TO m", locks: [one: .accessExclusive]),
        Case(sql: "CREATE TABLE three (one bigint REFERENCES one)", locks: [one: .shareRowExclusive]),
        Case(sql: "CLUSTER one USING one_name", locks: [one: .accessExclusive], effects: [.rewrites(one)]),
        Case(sql: "VACUUM one", locks: [one: .shareUpdateExclusive], isOutside: true),
        Case(sql: "VACUUM FULL one", locks: [one: .accessExclusive], effects: [.rewrites(one)], isOutside: true),
        Case(
            sql: "REFRESH MATERIALIZED VIEW seen",
            locks: ["public.seen": .accessExclusive, "public.two": .accessShare],
            effects: [.rewrites("public.seen"), .scans("public.two", times: 1)]),
    ]

    private static let base = """
        CREATE TABLE two (id bigint PRIMARY KEY);
        CREATE TABLE one (id bigserial PRIMARY KEY, n int CHECK (n IS NOT NULL), name varchar(9), note text, parent \
        bigint);
        CREATE INDEX one_name ON one (name);
        CREATE UNIQUE INDEX one_n ON one (n);
        ALTER TABLE one ADD CONSTRAINT unchecked CHECK (note <> '') NOT VALID;
        ALTER TABLE one ADD CONSTRAINT unchecked_key FOREIGN KEY (parent) REFERENCES two NOT VALID;
        CREATE SEQUENCE s;
        CREATE MATERIALIZED VIEW seen AS SELECT id FROM two;
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        """

    private static let insertions = """
        INSERT INTO two SELECT generate_series(1, 100);
        INSERT INTO one (n, name, note, parent) SELECT n, n, 'note ' || n, n FROM generate_series(1, 100) n;
        REFRESH MATERIALIZED VIEW seen; ANALYZE
        """

    private func graph(_ test: Case) throws -> RevisionGraph {
        let mark = test.isOutside ? "-- outside transaction\n" : ""
        return try RevisionGraph([
            try revision("a1", "", Self.base), try revision("a2", "a1", "\(mark)\(test.sql);"),
        ])
    }

    @Test(arguments: cases) func `a plan agrees with the manual, and the upgrade agrees with the plan`(
        test: Case
    ) throws {
        let (graph, configuration) = (try graph(test), database.directConfiguration())
        var options = Migrator.Options()
        (options.allowsDataLoss, options.tableLockTimeout) = (true, .seconds(20))
        let migrator = Migrator(graph: graph, configuration: configuration, options: options) { _ in }
        try Loop.run { try await migrator.upgrade(to: "a1") }
        try database.sql(Self.insertions)

        let (rows, indexes) = (try self.rows, try self.indexes)
        let plan = try Loop.run { try await Planner(graph: graph, configuration: configuration).plan() }
        #expect(plan.problem == nil)
        let statement = try #require(plan.statements.first)
        #expect(plan.statements.count == 1 && statement.doubt == nil)
        // Of the indexes, only the one that the statement names is compared.
        let locks = statement.locks.filter { test.locks[$0.relation] != nil || !indexes.contains($0.relation) }
        #expect(Dictionary(uniqueKeysWithValues: locks.map { ($0.relation, $0.mode) }) == test.locks)
        #expect(Set(statement.effects) == Set(test.effects))
        #expect(try self.rows == rows)
        #expect(try database.sql("SELECT string_agg(version_num, ',') FROM alembic_version") == "a1")

        let files = try self.files
        let held = try locksOfUpgrade(migrator, isOutside: test.isOutside)
        if !test.isOutside {
            #expect(held.filter { test.locks[$0.key] != nil || !indexes.contains($0.key) } == test.locks)
        }
        let rewritten = test.effects.count {
            if case .rewrites = $0 { true } else if case .truncates = $0 { true } else { false }
        }
        #expect(try self.files.subtracting(files).count == rewritten)
    }

    private var rows: String {
        get throws { try database.sql("SELECT md5(string_agg(one::text, '' ORDER BY id)) FROM one") }
    }

    private var indexes: Set<String> {
        get throws {
            Set(
                try database.sql("SELECT string_agg('public.' || indexrelid::regclass, ',') FROM pg_index")
                    .split(separator: ",").map { String($0) })
        }
    }

    /// The OIDs of the tables and materialized views that the first revision creates, each with its `relfilenode`,
    /// which changes when the relation is rewritten.
    private var files: Set<Substring> {
        get throws {
            let query = """
                SELECT string_agg(oid || ' ' || relfilenode, ',') FROM pg_class WHERE relkind IN ('r', 'm') \
                AND relnamespace = 'public'::regnamespace AND relname !~ '^(alembic|migration|three)'
                """
            return Set(try database.sql(query).split(separator: ","))
        }
    }

    /// Runs the upgrade, and returns the strongest lock that it holds on each relation before its commit. Until the
    /// locks are read, another session blocks the upgrade with a lock on `alembic_version`. Returns no locks for a
    /// statement outside a transaction.
    private func locksOfUpgrade(_ migrator: Migrator, isOutside: Bool) throws -> [String: LockMode] {
        guard !isOutside else {
            try Loop.run { try await migrator.upgrade() }
            return [:]
        }
        let gate = try database.opened("BEGIN; LOCK TABLE alembic_version IN SHARE MODE")
        let configuration = database.directConfiguration()
        let rows = try Loop.run { () -> [[String]] in
            async let run: Void = migrator.upgrade()
            let monitor = try await Connection.open(configuration)
            var rows: [[String]] = []
            for _ in 0..<500 where rows.isEmpty {
                try await Loop.current?.sleep(for: .milliseconds(20))
                rows = try await monitor.rows(Self.locks)
            }
            monitor.close()
            gate.close()
            try await run
            return rows
        }
        var strongest: [String: LockMode] = [:]
        for row in rows {
            let mode = try #require(LockMode(catalogName: row[1]))
            strongest[row[0]] = max(mode, strongest[row[0]] ?? mode)
        }
        return strongest
    }

    /// Selects the locks of the upgrade, which is the session that waits for `alembic_version`. Relations that the
    /// upgrade has created are not included, since its transaction is not committed.
    private static let locks: Statement = """
        SELECT ARRAY['public.' || relname, mode] FROM pg_locks JOIN pg_class ON pg_class.oid = relation WHERE locktype \
        = 'relation' AND granted AND pg_class.oid > 16383 AND relnamespace = 'public'::regnamespace AND relname !~ \
        '^(alembic|migration)' AND pid IN (SELECT pid FROM pg_locks WHERE NOT granted AND relation = \
        'alembic_version'::regclass)
        """
}
