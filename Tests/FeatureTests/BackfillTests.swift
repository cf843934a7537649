import EventLoop
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// Statements that run in batches.
@Suite struct BackfillTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func fill(_ rows: Int, key: String = "id int PRIMARY KEY", value: String = "n") throws {
        try database.sql(
            "CREATE TABLE one (\(key), a int); INSERT INTO one SELECT \(value) FROM generate_series(1, \(rows)) n")
    }

    private func backfill(_ sql: String = "UPDATE one SET a = 1 WHERE a IS NULL", by key: String = "id", size: Int = 10)
        -> [(
            up: String, down: String
        )]
    { [("-- batches of \(size) by \(key)\n\(sql);", "SELECT 1;")] }

    @Test func `each batch is a separate transaction`() throws {
        try fill(25)
        let lines = Lines()
        #expect(try database.migrate(backfill(), .init(), lines) == nil)
        #expect(try database.sql("SELECT count(DISTINCT xmin::text) || ' ' || count(*) FROM one WHERE a = 1") == "3 25")
        #expect(lines.all.contains("a1, line 6: all batches done: 25 rows of one"))
    }

    @Test(arguments: [
        ("id uuid PRIMARY KEY", "gen_random_uuid()"),
        ("id text PRIMARY KEY", "CASE n WHEN 1 THEN '' ELSE 'it''s \\' || n END"),
        ("id timestamptz NOT NULL", "now() - (n / 3) * interval '1 s'"), ("\"id\" numeric UNIQUE NOT NULL", "-n / 7.0"),
    ]) func `any key with an order, an index and no NULL is accepted`(key: String, value: String) throws {
        try fill(95, key: key, value: value)
        try database.sql("CREATE INDEX ON one (id, a)")
        #expect(try database.migrate(backfill()) == nil)
        #expect(try database.sql("SELECT count(*) FROM one WHERE a = 1") == "95")
    }

    @Test(arguments: [
        ("id int", "NOT NULL"), ("id int NOT NULL", "a B-tree index must begin with it"),
        ("n int PRIMARY KEY", "there is no column id of one"),
    ]) func `a key that would miss rows, or need a scan of the table, is refused`(
        key: String, reason: String
    ) throws {
        try fill(3, key: key)
        let said = try database.migrate(backfill())
        #expect(said?.hasPrefix("versions/a1.sql:6: ") == true && said?.contains(reason) == true, "\(said ?? "")")
    }

    @Test(.timeLimit(.minutes(1)))
    func `a trigger that changes the key does not extend the range of keys, which is fixed at the start`() throws {
        try fill(25)
        try database.sql(
            """
            CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id = OLD.id + 100; RETURN NEW; END';
            CREATE TRIGGER t BEFORE UPDATE ON one FOR EACH ROW EXECUTE FUNCTION move()
            """)
        #expect(try database.migrate(backfill("UPDATE one SET a = coalesce(a, 0) + 1")) == nil)
        #expect(try database.sql("SELECT min(id) || ' ' || max(a) FROM one") == "101 1")
    }

    @Test func `rows that a trigger deletes with a batch are detected before the commit`() throws {
        try fill(25)
        try database.sql(
            """
            CREATE TABLE two AS SELECT id FROM one;
            CREATE FUNCTION clear() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM two WHERE id = NEW.id; \
            RETURN NEW; END';
            CREATE TRIGGER t BEFORE UPDATE ON one FOR EACH ROW EXECUTE FUNCTION clear()
            """)
        let said = try database.migrate(backfill())
        #expect(said?.contains("a1 loses data: it deletes rows of public.two (10)") == true, "\(said ?? "")")
        #expect(try database.sql("SELECT count(*) FROM two") == "25")
    }

    @Test func `an index without an order cannot be used for batches`() throws {
        try fill(3, key: "id int NOT NULL")
        try database.sql("CREATE INDEX ON one USING hash (id)")
        #expect(try database.migrate(backfill())?.contains("a B-tree index must begin with it") == true)
    }

    @Test func `rows after the last key at the start are left out, also after a resumption`() throws {
        try fill(30)
        try database.sql("ALTER TABLE one ADD CHECK (a <> 1 OR id <> 15)")
        #expect(try database.migrate(backfill()) != nil)
        try database.sql("ALTER TABLE one DROP CONSTRAINT one_check; INSERT INTO one SELECT generate_series(31, 60)")
        #expect(try database.migrate(backfill()) == nil)
        #expect(try database.sql("SELECT count(*) FROM one WHERE a = 1") == "30")
    }

    @Test func `rows with the same key are in one batch, and are all counted`() throws {
        try fill(25, key: "id int NOT NULL", value: "n / 20")
        try database.sql("CREATE INDEX ON one (id)")
        let lines = Lines()
        #expect(try database.migrate(backfill(), .init(), lines) == nil)
        #expect(lines.all.contains("a1, line 6: all batches done: 25 rows of one"))
        #expect(try database.sql("SELECT count(DISTINCT xmin::text) || ' ' || count(*) FROM one WHERE a = 1") == "2 25")
    }

    @Test func `a failed backfill resumes after the last batch`() throws {
        try fill(100)
        try database.sql("ALTER TABLE one ADD CHECK (a <> 1 OR id <> 55)")
        let said = try #require(try database.migrate(backfill()))
        #expect(said.contains("violates check constraint") && said.contains("a1 stopped at line 6 of versions/a1.sql"))
        #expect(try database.sql("SELECT count(*) FROM one WHERE a = 1") == "50")
        let progress =
            "SELECT outcome, progress ->> 'key', progress ->> 'rows' FROM migration_history ORDER BY id DESC LIMIT 1"
        #expect(try database.sql(progress) == "stopped|50|50")
        // Finished batches are neither run nor searched again.
        try database.sql("ALTER TABLE one DROP CONSTRAINT one_check; UPDATE one SET a = 7 WHERE id = 1")
        #expect(
            try database.migrate(backfill("UPDATE one SET a = 1"))?.contains("differs from what was run of it") == true)
        #expect(try database.migrate(backfill()) == nil)
        #expect(
            try database.sql("SELECT count(*) FILTER (WHERE a = 1), min(a) FILTER (WHERE id = 1) FROM one") == "99|7")
    }

    @Test(.timeLimit(.minutes(1))) func `a killed backfill resumes after the last batch`() throws {
        try fill(100)
        let kill =
            "CREATE FUNCTION kill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
        try database.sql(
            "\(kill); CREATE TRIGGER t BEFORE UPDATE ON one FOR EACH ROW WHEN (old.id = 35) EXECUTE FUNCTION kill()")
        #expect(try database.migrate(backfill()) != nil)
        #expect(try database.sql("SELECT count(*) FROM one WHERE a = 1") == "30")
        try database.sql("DROP TRIGGER t ON one")
        #expect(try database.migrate(backfill()) == nil)
        #expect(try database.sql("SELECT count(*) FROM one WHERE a = 1") == "100")
    }

    @Test(.timeLimit(.minutes(1))) func `a batch that waits for a row lock is retried`() throws {
        try fill(30)
        let locker = try database.opened("BEGIN; UPDATE one SET a = 3 WHERE id = 15")
        defer { locker.close() }
        var options = Migrator.Options()
        options.tableLockTimeout = .milliseconds(100)
        let lines = Lines()
        let configuration = database.directConfiguration()
        let graph = try RevisionGraph([try revision("a1", "", backfill()[0].up)])
        try Loop.run { [options] in
            let loop = try #require(Loop.current)
            loop.schedule(at: loop.now.advanced(by: .milliseconds(900))) {
                Task(executorPreference: loop) { _ = try await locker.script("COMMIT") }
            }
            try await Migrator(graph: graph, configuration: configuration, options: options) { lines.add($0) }.upgrade()
        }
        #expect(lines.all.contains { $0.contains("retrying") })
        #expect(
            try database.sql("SELECT count(*) FILTER (WHERE a = 1) || ' ' || count(*) FILTER (WHERE a = 3) FROM one")
                == "29 1")
    }

    @Test func `with another key, or none, it counts as another statement`() throws {
        try fill(100)
        try database.sql("ALTER TABLE one ADD CHECK (a <> 1 OR id <> 55), ADD code int; UPDATE one SET code = 101 - id")
        try database.sql("ALTER TABLE one ALTER code SET NOT NULL; CREATE INDEX ON one (code)")
        _ = try database.migrate(backfill())
        for changed in [
            backfill(by: "code"),
            [(up: "-- outside transaction\n\(backfill()[0].up.split(separator: "\n")[1])", down: "")],
        ] {
            #expect(try database.migrate(changed)?.contains("differs from what was run of it") == true)
        }
    }

    @Test func `a key is stored independently of session settings`() throws {
        try fill(60, key: "id date PRIMARY KEY", value: "date '2026-01-01' + n")
        try database.sql("ALTER TABLE one ADD CHECK (a <> 1 OR id <> '2026-02-20')")
        let name = try database.sql("SELECT current_database()")
        try database.sql("ALTER DATABASE \(name) SET datestyle = 'SQL, DMY'")
        #expect(try database.migrate(backfill()) != nil)
        #expect(
            try database.sql("SELECT progress ->> 'key' FROM migration_history ORDER BY id DESC LIMIT 1")
                == "2026-02-10")
        try database.sql("ALTER DATABASE \(name) SET datestyle = 'SQL, MDY'; ALTER TABLE one DROP CONSTRAINT one_check")
        #expect(try database.migrate(backfill()) == nil)
        #expect(try database.sql("SELECT count(*) FROM one WHERE a = 1") == "60")
    }

    @Test(arguments: ["\"id\"", "ID"]) func `the key may be written like an SQL identifier`(key: String) throws {
        try fill(25)
        #expect(try database.migrate(backfill(by: key)) == nil)
        #expect(try database.sql("SELECT count(*) FROM one WHERE a = 1") == "25")
    }

    @Test func `a key that changes with other columns is refused`() throws {
        try database.sql(
            "CREATE TABLE one (a int, id int NOT NULL GENERATED ALWAYS AS (a) STORED); CREATE INDEX ON one (id)")
        #expect(try database.migrate(backfill())?.contains("it is generated") == true)
    }

    @Test func `rows are deleted in batches when that is allowed`() throws {
        try fill(30)
        let revisions = backfill("DELETE FROM one WHERE id % 2 = 0")
        #expect(try database.migrate(revisions)?.contains("--allow-data-loss") == true)
        var options = Migrator.Options()
        options.allowsDataLoss = true
        #expect(try database.migrate(revisions, options) == nil)
        #expect(try database.sql("SELECT count(*) FROM one") == "15")
    }

    @Test func `the offline script is one block that commits each batch`() throws {
        try fill(25)
        let graph = try RevisionGraph([try revision("a1", "", backfill()[0].up)])
        try database.psql(OfflineScript(graph).upgrade("head"))
        #expect(try database.sql("SELECT count(DISTINCT xmin::text) || ' ' || count(*) FROM one WHERE a = 1") == "3 25")
    }

    @Test func `a table without rows is accepted`() throws {
        try fill(0)
        #expect(try database.migrate(backfill()) == nil)
    }
}
