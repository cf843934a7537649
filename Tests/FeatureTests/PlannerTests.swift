import EventLoop
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// What a plan reports about a database's rows and sessions, and that it has no side effects.
@Suite struct PlannerTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private static let base = "CREATE TABLE one (id bigint PRIMARY KEY, n int, note text); CREATE TABLE two (n int);"
    private static let rows = "INSERT INTO one SELECT n, n, 'x' FROM generate_series(1, 50) n; ANALYZE"

    /// Applies the revision `base`, inserts `rows`, and plans the upgrade with the `pending` revisions.
    private func plan(
        _ pending: String..., base: String = base, rows: String = rows, to target: String = "head"
    ) throws -> MigrationPlan {
        let configuration = database.directConfiguration()
        let graph = try RevisionGraph(
            ([base] + pending).enumerated().map { index, sql in
                try revision("a\(index + 1)", index == 0 ? "" : "a\(index)", sql)
            })
        try Loop.run {
            try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade(to: "a1")
        }
        try database.sql(rows)
        return try Loop.run { try await Planner(graph: graph, configuration: configuration).plan(to: target) }
    }

    private func locks(_ plan: MigrationPlan) -> [[String]] {
        plan.statements.map { $0.locks.map { "\($0.mode.name) \($0.relation)" } }
    }

    /// Plans the rest of an upgrade that stopped partway through `revisions`.
    private func plan(restOf revisions: [(up: String, down: String)]) throws -> MigrationPlan {
        let configuration = database.directConfiguration()
        let graph = try RevisionGraph(
            revisions.enumerated().map { try revision("a\($0 + 1)", $0 == 0 ? "" : "a\($0)", $1.up, $1.down) })
        return try Loop.run { try await Planner(graph: graph, configuration: configuration).plan() }
    }

    // MARK: Revisions that stopped halfway

    @Test func `a revision that stopped halfway is planned from the position where it stopped`() throws {
        let pieces = """
            ALTER TABLE one ADD m int;
            DROP VIEW seen;
            -- outside transaction
            CREATE INDEX CONCURRENTLY one_m ON one (m);
            -- inside transaction
            CREATE VIEW seen AS SELECT m FROM one;
            INSERT INTO two VALUES (1 / %);
            """
        let base = (up: "\(Self.base) CREATE VIEW seen AS SELECT id FROM one;", down: "")
        #expect(try database.migrate([base, (pieces.replacing("%", with: "0"), "")]) != nil)
        let plan = try plan(restOf: [base, (pieces.replacing("%", with: "1"), "")])
        #expect(plan.problem == nil && plan.statements.map(\.line) == [10, 11])
        #expect(plan.text.contains("\n  resumes at line 10, where it stopped\n  10: CREATE VIEW"))
    }

    @Test func `a partly run backfill is planned from the key that it has reached`() throws {
        try database.sql("\(Self.base) \(Self.rows); ALTER TABLE one ADD CHECK (n < 100 OR id <> 25)")
        let revisions = [(up: "-- batches of 10 by id\nUPDATE one SET n = n + 100;", down: "")]
        #expect(try database.migrate(revisions) != nil)
        let plan = try plan(restOf: revisions)
        #expect(plan.revisions[0].resumption == PlannedResumption(line: 6, key: "20", rows: 20))
        #expect(
            plan.markdown.contains("\nIt resumes at line 6, where it stopped, after the key 20: 20 rows are done.\n"))
    }

    @Test func `a revision that the upgrade would not resume is not planned`() throws {
        let block = "-- outside transaction\nDO $$ BEGIN CREATE TABLE two (); COMMIT; PERFORM 1 / 0; END $$;"
        _ = try database.migrate([(block, "")])
        #expect { try plan(restOf: [(block, "")]) } throws: { "\($0)".contains("a1 failed half-way") }
    }

    // MARK: Relations

    @Test
    func `locks are listed under a table's name before the plan, and not listed for tables that it creates`()
        throws
    {
        let plan = try plan(
            "ALTER TABLE two RENAME TO three; CREATE TABLE two (n int); ALTER TABLE two ADD m int;",
            "ALTER TABLE three ADD m int; ALTER TABLE two ADD k int;")
        #expect(
            locks(plan) == [["ACCESS EXCLUSIVE public.two"], [], [], ["ACCESS EXCLUSIVE public.two"], []])
        #expect(plan.revisions.map { $0.holds.map(\.lock.relation) } == [["public.two"], ["public.two"]])
        #expect(plan.problem == nil)
    }

    @Test func `an index that is recreated with its table is still known`() throws {
        let plan = try plan(
            "ALTER TABLE one ALTER n TYPE bigint;", "DROP INDEX one_n;",
            base: "\(Self.base) CREATE INDEX one_n ON one (n);")
        #expect(locks(plan)[1] == ["ACCESS EXCLUSIVE public.one", "ACCESS EXCLUSIVE public.one_n"])
    }

    @Test func `the locks of each statement are listed, and those that are held until the end`() throws {
        let plan = try plan("ALTER TABLE one ADD m int; COMMENT ON TABLE one IS 'x'; CREATE INDEX ON one (n);")
        #expect(
            locks(plan) == [
                ["ACCESS EXCLUSIVE public.one"], ["SHARE UPDATE EXCLUSIVE public.one"], ["SHARE public.one"],
            ])
        #expect(plan.revisions[0].holds.map(\.lock) == [PlannedLock(relation: "public.one", mode: .accessExclusive)])
    }

    @Test func `a table that was partitioned manually is planned`() throws {
        let made =
            "CREATE TABLE p (n int) PARTITION BY RANGE (n); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)"
        #expect(try plan("ALTER TABLE p DETACH PARTITION p1;", rows: made).problem == nil)
    }

    @Test func `a backfill locks the rows of one batch at a time`() throws {
        let plan = try plan("-- batches of 10 by id\nUPDATE one SET n = 1;")
        let statement = try #require(plan.statements.first)
        #expect(
            statement.batches == "10 rows by id"
                && statement.effects == [.scans("public.one", times: 1), .changesRows("public.one")])
        #expect(locks(plan)[0].first == "ROW EXCLUSIVE public.one" && statement.findings.isEmpty)
        #expect(plan.text.contains("in batches of 10 rows by id, each committed"))
    }

    @Test(arguments: [
        ("m int", "there is no column k of one to batch by"), ("k int", "it must be NOT NULL"),
        ("k int NOT NULL DEFAULT 1", "a B-tree index must begin with it"),
    ]) func `a backfill key that the upgrade would refuse is reported`(column: String, reason: String) throws {
        let plan = try plan("ALTER TABLE one ADD \(column);\n-- batches of 10 by k\nUPDATE one SET n = 1;")
        #expect(plan.problem?.hasPrefix("versions/a2.sql:7: ") == true && plan.problem?.contains(reason) == true)
        #expect(locks(plan).first == ["ACCESS EXCLUSIVE public.one"])
    }

    @Test func `a backfill key that is not unique is reported`() throws {
        let plan = try plan(
            "-- batches of 10 by k\nUPDATE one SET n = 1;",
            base: "CREATE TABLE one (n int, k int NOT NULL); CREATE INDEX ON one (k);", rows: "SELECT 1")
        #expect(plan.problem == nil && plan.statements.map(\.hasUniqueKey) == [false])
        #expect(plan.text.contains("each committed; rows with the same key are in one batch, however many\n"))
    }

    @Test func `sizes are those of the database, and an estimate grows with them`() throws {
        let rows = """
            ALTER TABLE one SET (autovacuum_enabled = off);
            INSERT INTO one SELECT n, n, repeat('x', 100) FROM generate_series(1, 30000) n; ANALYZE
            """
        let plan = try plan("ALTER TABLE one ALTER n TYPE bigint;", "ALTER TABLE two ADD m int;", rows: rows)
        let size = try #require(plan.sizes["public.one"])
        #expect(size.bytes == Int64(try database.sql("SELECT pg_table_size('one')")))
        #expect(size.indexBytes == Int64(try database.sql("SELECT pg_indexes_size('one')")))
        #expect(size.rows == 30000 && size.indexes == 1)
        let duration = try #require(plan.statements[0].duration)
        #expect(duration > .milliseconds(1) && duration < .seconds(30))
        #expect(plan.statements[1].duration == nil)
    }

    // MARK: Sessions

    @Test func `the sessions that a statement would wait for are listed, and no others`() throws {
        let plan: MigrationPlan
        do {
            try database.sql(Self.base)
            let reader = try database.opened("SET application_name = 'report'; BEGIN; SELECT count(*) FROM one")
            let writer = try database.opened("SET application_name = 'writer'; BEGIN; INSERT INTO two VALUES (1)")
            defer {
                reader.close()
                writer.close()
            }
            plan = try self.plan(
                "ALTER TABLE one ADD m int; CREATE INDEX ON one (n); CREATE INDEX ON two (n);",
                "-- outside transaction\nDROP INDEX CONCURRENTLY two_n_idx;", base: "SELECT 1;", rows: "SELECT 1")
        }
        #expect(plan.statements.map { $0.waitsFor.map(\.application) } == [["report"], [], ["writer"], ["writer"]])
        let holder = try #require(plan.statements[0].waitsFor.first)
        #expect(holder.user == "postgres" && holder.state == "idle in transaction" && holder.mode == .accessShare)
        #expect(holder.pid ?? 0 > 0 && holder.age >= 0 && holder.relation == "public.one")
    }

    @Test
    func `an index that is built concurrently waits for sessions with an older snapshot, and no other statement does`()
        throws
    {
        try database.sql("\(Self.base) CREATE INDEX two_n ON two (n)")
        let reader = try database.opened(
            "SET application_name = 'report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM one")
        let idle = try database.opened("BEGIN; SELECT count(*) FROM one")
        defer {
            reader.close()
            idle.close()
        }
        let plan = try plan(
            "-- outside transaction\nCREATE INDEX CONCURRENTLY ON two (n);\nREINDEX INDEX CONCURRENTLY two_n;",
            "-- outside transaction\nDROP INDEX CONCURRENTLY two_n;\n-- inside transaction\nALTER TABLE two ADD m int;",
            base: "SELECT 1;", rows: "SELECT 1")
        #expect(
            plan.statements.map { $0.waitsFor.map(\.application) } == [["report"], ["report"], [], []])
        #expect(plan.statements[0].waitsFor.first?.relation == nil)
        #expect(plan.text.contains(" s): an older snapshot\n"))
    }

    @Test func `a role that may not see the kind of a session sees that it has a snapshot`() throws {
        let role = "planner_\(UInt32.random(in: 0...UInt32.max))"
        try database.sql("CREATE ROLE \(role) LOGIN")
        let reader = try database.opened(
            "SET application_name = 'report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        defer { reader.close() }
        let configuration = database.directConfiguration(user: role)
        let holders = try Loop.run {
            let live = try await LiveDatabase(configuration)
            defer { live.close() }
            return try await live.snapshots()
        }
        #expect(holders.map(\.application) == ["report"])
    }

    @Test func `a locked table does not block the plan`() throws {
        try database.sql("\(Self.base) \(Self.rows)")
        let locker = try database.opened("BEGIN; LOCK TABLE one")
        defer { locker.close() }
        let plan = try plan("ALTER TABLE one DROP note;", base: "SELECT 1;", rows: "SELECT 1")
        #expect(plan.sizes["public.one"]?.rows == 50)
        #expect(plan.statements[0].waitsFor.map(\.mode) == [.accessExclusive])
        #expect(plan.statements[0].losses.map(\.text) == ["drops column public.one.note (about 50 values)"])
    }

    @Test func `a locked table with a default is planned from the revisions`() throws {
        let base =
            "CREATE TABLE one (id bigint PRIMARY KEY, n int DEFAULT 7 CHECK (n > 0)); CREATE INDEX ON one ((n + 1));"
        #expect(try database.migrate([(base, "")]) == nil)
        try database.sql("INSERT INTO one SELECT generate_series(1, 50); ANALYZE")
        let locker = try database.opened("SET application_name = 'locker'; BEGIN; LOCK TABLE one")
        defer { locker.close() }
        let start = ContinuousClock.now
        let plan = try plan(restOf: [(base, ""), ("ALTER TABLE one DROP n;", "")])
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(plan.problem == nil && plan.sizes["public.one"]?.rows == 50)
        #expect(plan.statements[0].waitsFor.map(\.application) == ["locker"])
        #expect(plan.doubt?.contains(", locker, idle in transaction for ") == true)
        #expect(plan.text.contains("not certain: the plan is based on the revisions alone"))
    }

    // MARK: Data

    @Test func `data loss is reported with the number of rows`() throws {
        let plan = try plan(
            "ALTER TABLE one RENAME TO old; ALTER TABLE old RENAME note TO remark;",
            "ALTER TABLE old DROP remark; ALTER TABLE old ALTER n TYPE smallint;",
            "DELETE FROM old WHERE id > 40; TRUNCATE old; DROP TABLE old; DROP TABLE two;")
        #expect(plan.problem == nil)
        #expect(
            plan.statements.map { $0.losses.map(\.text) } == [
                [], [], ["drops column public.one.note (50 values)"],
                ["changes public.one.n from integer to smallint (50 values)"],
                ["deletes rows of public.one (their number is not known)"], ["truncates table public.one (50 rows)"],
                ["drops table public.one (50 rows)"], [],
            ])
        #expect(plan.statements[2].losses.first?.rows == 50 && plan.statements[2].losses.first?.isEstimate == false)
    }

    @Test func `the number of rows of a DELETE is Postgres's estimate`() throws {
        let losses = try plan("DELETE FROM one WHERE id > 40;").statements[0].losses
        #expect(losses.map(\.text) == ["deletes rows of public.one (about 10)"] && losses[0].isEstimate)
        #expect(try database.sql("SELECT count(*) FROM one") == "50")
    }

    @Test func `rows that a block, a function or a query may delete are reported, and no others`() throws {
        let base = """
            \(Self.base) CREATE FUNCTION purge() RETURNS void LANGUAGE sql AS 'DELETE FROM one WHERE id > 40';
            CREATE FUNCTION other() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM one';
            """
        let plan = try plan(
            "DO $$ BEGIN DELETE FROM one WHERE id > 40; END $$;", "SELECT purge();",
            "WITH gone AS (DELETE FROM one WHERE id > 40 RETURNING n) SELECT count(*) FROM gone;",
            "DO $$ BEGIN IF false THEN TRUNCATE one; END IF; END $$;", "DO $$ BEGIN DELETE FROM one; END $$;",
            "SELECT count(*) FROM one;", "DO $$ BEGIN UPDATE one SET n = 1; END $$;", base: base)
        #expect(plan.problem == nil)
        let may = ["may delete rows of public.one (their number is not known)"]
        #expect(
            plan.statements.map { $0.losses.map(\.text) } == [
                may, may, may, ["may delete rows (their number is not known)"],
                ["deletes rows of public.one (their number is not known)"], [], [],
            ])
        #expect(plan.summary.contains("losses of data: 5"))
    }

    // MARK: Failures

    @Test func `a statement that fails is reported, and ends the plan`() throws {
        let plan = try plan(
            "ALTER TABLE one ADD m int;\nALTER TABLE none ADD m int;\nALTER TABLE two ADD m int;", "SELECT 1;")
        #expect(plan.problem == "versions/a2.sql:6: 42P01: relation \"none\" does not exist")
        #expect(plan.revisions.count == 1 && plan.statements.count == 2)
        #expect(locks(plan) == [["ACCESS EXCLUSIVE public.one"], []])
    }

    @Test func `the locks of the statements before one that fails are listed`() throws {
        let plan = try plan("ALTER TABLE one ADD m int;\nALTER TABLE one ADD k int;\nALTER TABLE none ADD m int;")
        #expect(locks(plan) == [["ACCESS EXCLUSIVE public.one"], ["ACCESS EXCLUSIVE public.one"], []])
    }

    @Test func `a session that is terminated does not count as a failed statement`() throws {
        let hidden = "EXECUTE 'SELECT pg_' || 'terminate_backend(pg_backend_pid())'"
        for mode in ["inside", "outside"] {
            let other = try PlannerTests(database: TestDatabase())
            #expect {
                try other.plan("-- \(mode) transaction\nDO $$ BEGIN \(hidden); END $$;")
            } throws: {
                "\($0)".hasPrefix("the connection to the server was lost, and there is no plan: 57P01")
            }
        }
    }

    @Test func `statements that fail only together in one transaction fail, and those that work only together work`()
        throws
    {
        let base = """
            CREATE TABLE one (id bigint PRIMARY KEY);
            CREATE TABLE two (one bigint REFERENCES one DEFERRABLE INITIALLY DEFERRED);
            """
        let inserts = "INSERT INTO two VALUES (7); INSERT INTO one VALUES (7);"
        let failing = try plan("\(inserts) ALTER TABLE two ADD m int;", base: base, rows: "SELECT 1")
        #expect(failing.problem?.contains("55006") == true)
        let working = try PlannerTests(database: TestDatabase()).plan(
            "\(inserts) ALTER TABLE one ADD m int;", base: base, rows: "SELECT 1")
        #expect(working.problem == nil && working.statements.count == 3)
    }

    @Test func `adding a NOT NULL column fails only for a table with rows`() throws {
        let full = try plan("ALTER TABLE one ADD m int NOT NULL;")
        #expect(full.problem?.contains("23502") == true)
        let empty = try TestDatabase()
        let other = try PlannerTests(database: empty).plan("ALTER TABLE one ADD m int NOT NULL;", rows: "SELECT 1")
        #expect(other.problem == nil && other.statements[0].doubt?.contains("23502: ") == true)
        #expect(locks(other) == [["ACCESS EXCLUSIVE public.one"]])
    }

    private init(database: TestDatabase) { self.database = database }

    @Test func `a CHECK that sample rows violate is a doubt, not a problem`() throws {
        let plan = try plan("ALTER TABLE one ADD CHECK (n > 7777);")
        #expect(plan.problem == nil && plan.statements[0].doubt?.contains("23514: ") == true)
        #expect(plan.statements[0].effects == [.scans("public.one", times: 1)])
    }

    @Test func `nothing is planned if nothing is pending, or beyond the target`() throws {
        #expect(try plan().revisions.isEmpty)
        let other = try PlannerTests(database: TestDatabase())
        #expect(try other.plan("SELECT 1;", "SELECT 2;", to: "a2").revisions.map(\.id) == ["a2"])
    }

    // MARK: No side effects

    @Test func `a plan does not change the database or the server`() throws {
        let role = "planned_\(UInt32.random(in: 0...UInt32.max))"
        let plan = try plan(
            "CREATE ROLE \(role); GRANT SELECT ON one TO \(role);", "ALTER TABLE one ADD m int; DROP TABLE two;",
            "-- outside transaction\nCREATE INDEX one_m ON one (m);")
        #expect(plan.problem == nil && plan.statements.count == 5)
        #expect(locks(plan)[4] == ["SHARE public.one"] || locks(plan)[4].isEmpty)
        #expect(try database.sql("SELECT count(*) FROM pg_roles WHERE rolname = '\(role)'") == "0")
        #expect(try database.sql("SELECT to_regclass('two') IS NOT NULL AND count(*) = 50 FROM one") == "t")
        #expect(try database.sql("SELECT version_num FROM alembic_version") == "a1")
    }

    @Test func `statements that would change the whole server are not run`() throws {
        let plan = try plan(
            "-- outside transaction\nALTER SYSTEM SET work_mem = '5MB';",
            "-- outside transaction\nCREATE DATABASE planned;")
        #expect(plan.problem == nil && plan.statements.compactMap(\.doubt).count == 2)
        #expect(!plan.text.contains("locks nothing") && plan.summary.contains("2 statements of unknown duration"))
        #expect(try database.sql("SELECT count(*) FROM pg_file_settings WHERE name = 'work_mem'") == "0")
        #expect(try database.sql("SELECT count(*) FROM pg_database WHERE datname = 'planned'") == "0")
    }

    @Test func `rows that are deleted by a cascade are reported, without their number`() throws {
        let base = "CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int REFERENCES one ON DELETE CASCADE);"
        let rows = "INSERT INTO one SELECT generate_series(1, 9); INSERT INTO two SELECT id FROM one; ANALYZE"
        let losses = try plan("DELETE FROM one;", base: base, rows: rows).statements[0].losses
        #expect(
            losses.map(\.text) == [
                "deletes rows of public.one (about 9)", "deletes rows of public.two (their number is not known)",
            ])
    }

    @Test func `objects that no revision has created are taken into account`() throws {
        let plan = try plan(
            "ALTER TABLE besides ADD m int;", rows: "CREATE TABLE besides (n int); INSERT INTO besides VALUES (1)")
        #expect(plan.problem == nil && locks(plan) == [["ACCESS EXCLUSIVE public.besides"]])
    }

    @Test func `every feature of Postgres's DDL can be planned`() throws {
        let graph = try ScriptDirectory("\(checkout)/Tests/FeatureTests/Corpus").graph()
        let configuration = database.directConfiguration()
        let plan = try Loop.run { try await Planner(graph: graph, configuration: configuration).plan() }
        #expect(plan.problem == nil)
        #expect(plan.revisions.count == graph.revisions.count)
        // Relations that the plan itself creates have no other users.
        #expect(plan.statements.flatMap(\.locks).isEmpty)
    }
}
