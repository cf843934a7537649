import EventLoop
import Postgres
import SQL
import TestSupport
import Testing

@testable import Migrations

/// What a revision must not do: hang, lose data without permission, record a wrong state, or block other sessions.
@Suite struct MigrationSafetyTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private var versions: String {
        get throws { try database.sql("SELECT coalesce(string_agg(version_num, ','), 'base') FROM alembic_version") }
    }

    // MARK: COPY

    @Test(.timeLimit(.minutes(1))) func `a COPY from the client fails immediately, and one to the client is drained`()
        throws
    {
        try database.sql("CREATE TABLE one (n int)")
        let said = try database.migrate([("COPY one FROM stdin;", "")])
        #expect(said?.contains("COPY FROM STDIN has no data here") == true)
        let rows =
            "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 20000)) TO STDOUT; INSERT INTO one VALUES (1);"
        #expect(try database.migrate([(rows, "")]) == nil)
        #expect(try database.sql("SELECT count(*) FROM one") == "1")
    }

    // MARK: Data

    @Test func `a table that is truncated and refilled counts as data loss, unless it has as many rows`() throws {
        try database.sql("CREATE TABLE one (n int); INSERT INTO one SELECT generate_series(1, 10)")
        let said = try database.migrate([("TRUNCATE one; INSERT INTO one VALUES (0);", "")])
        #expect(said?.contains("it truncates table public.one (9 rows)") == true, "\(said ?? "nothing")")
        #expect(try database.migrate([("TRUNCATE one; INSERT INTO one SELECT generate_series(1, 10);", "")]) == nil)
    }

    @Test func `a rewrite does not count as a truncation, even if the revision mentions one`() throws {
        try database.sql("CREATE TABLE one (n int); INSERT INTO one VALUES (1)")
        #expect(
            try database.migrate([("COMMENT ON TABLE one IS 'truncate'; ALTER TABLE one ALTER n TYPE bigint;", "")])
                == nil)
    }

    @Test func `rows that row-level security hides count as rows`() throws {
        let role = "owner_\(UInt32.random(in: 0...UInt32.max))"
        try database.sql(
            """
            CREATE ROLE \(role) LOGIN; GRANT CREATE ON SCHEMA public TO \(role); CREATE TABLE secret (n int);
            INSERT INTO secret VALUES (1); ALTER TABLE secret OWNER TO \(role); ALTER TABLE secret ENABLE ROW LEVEL \
            SECURITY;
            ALTER TABLE secret FORCE ROW LEVEL SECURITY
            """)
        let configuration = database.directConfiguration(user: role)
        let graph = try RevisionGraph([try revision("a1", "", "DROP TABLE secret;")])
        #expect(throws: MigrationFailed.self) {
            try Loop.run {
                try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade()
            }
        }
        #expect(try database.sql("SELECT count(*) FROM secret") == "1")
    }

    @Test(.timeLimit(.minutes(1))) func `a row inserted while an empty table is dropped is not lost silently`() throws {
        try database.sql("CREATE TABLE one (n int)")
        let graph = try RevisionGraph([try revision("a1", "", "DROP TABLE one; SELECT pg_sleep(0.5);")])
        let configuration = database.directConfiguration()
        let failure = try Loop.run { () -> String? in
            let loop = try #require(Loop.current)
            let writer = try await Connection.open(configuration)
            defer { writer.close() }
            let upgrade = Task(executorPreference: loop) {
                try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade()
            }
            try await loop.sleep(for: .milliseconds(400))
            // The insert waits for the lock of the first attempt, and succeeds when that is rolled back, or fails when
            // the table has been dropped.
            let isWritten = (try? await writer.script("INSERT INTO one VALUES (1)")) != nil
            do { try await upgrade.value } catch { return "\(error)" }
            return isWritten ? "a row is lost" : nil
        }
        #expect(failure == nil || failure?.contains("it drops table public.one (1 rows)") == true, "\(failure ?? "")")
    }

    @Test func `data that an earlier revision of the same transaction has deleted is not reported again`() throws {
        var options = Migrator.Options()
        options.isOneTransaction = true
        let revisions = [
            (up: "CREATE TABLE one (n int); INSERT INTO one VALUES (1), (2); DELETE FROM one WHERE n = 1;", down: ""),
            (up: "ALTER TABLE one ADD m int;", down: ""),
        ]
        #expect(try database.migrate(revisions, options) == nil)
    }

    @Test(arguments: [
        ("DROP TABLE one", "drops table public.one (2 rows)"),
        ("/* x */ DROP TABLE one", "drops table public.one (2 rows)"),
        ("ALTER TABLE one DROP note", "drops column public.one.note (1 values)"),
        ("TRUNCATE one", "truncates table public.one (2 rows)"),
        ("DO $$ BEGIN EXECUTE 'DROP ' || 'TABLE one'; END $$", "drops table public.one (2 rows)"),
        ("DELETE FROM one WHERE n = 1", "deletes rows of public.one (1)"),
        (
            "ALTER TABLE one ALTER note TYPE varchar(1) USING note::varchar(1)",
            "changes public.one.note from text to character varying(1) (1 values)"
        ),
        ("ALTER TABLE one RENAME TO two; DROP TABLE two", "drops table public.one (2 rows)"),
        ("ALTER TABLE one RENAME TO two; DELETE FROM two WHERE n = 1", "deletes rows of public.one (1)"),
        ("CREATE SCHEMA s; ALTER TABLE one SET SCHEMA s; DELETE FROM s.one", "deletes rows of public.one (2)"),
        ("DROP SCHEMA public CASCADE", "drops table public.one (2 rows)"),
        ("ALTER TABLE one DROP note, DROP n", "drops column public.one.n (2 values), it drops column public.one.note"),
    ]) func `a statement that would lose rows is rolled back and reported with their number, unless it is allowed`(
        sql: String, loss: String
    ) throws {
        try database.sql("CREATE TABLE one (n int, note text); INSERT INTO one VALUES (1, 'long'), (2, NULL)")
        let before = try database.sql("SELECT string_agg(one::text, ';') FROM one")
        for single in [false, true] {
            var options = Migrator.Options()
            options.isOneTransaction = single
            let said = try database.migrate([("\(sql);", "")], options)
            #expect(said?.hasPrefix("versions/a1.sql: a1 loses data: it \(loss)") == true, "\(said ?? "nothing")")
            #expect(said?.contains("--allow-data-loss") == true)
            #expect(try versions == "base")
            #expect(try database.sql("SELECT string_agg(one::text, ';') FROM one") == before)
        }
        var options = Migrator.Options()
        options.allowsDataLoss = true
        if !sql.contains("SCHEMA") { #expect(try database.migrate([("\(sql);", "")], options) == nil) }
    }

    @Test(arguments: [
        "ALTER TABLE one ALTER n TYPE bigint", "ALTER TABLE one ALTER n TYPE numeric", "ALTER TABLE one RENAME TO two",
        "ALTER TABLE one RENAME n TO m", "DROP TABLE empty", "TRUNCATE empty", "ALTER TABLE one DROP nothing",
        "ALTER TABLE one ALTER short TYPE varchar(20)", "ALTER TABLE one ALTER short TYPE text",
        "CREATE TABLE staged (n int); INSERT INTO staged VALUES (1); DELETE FROM staged; DROP TABLE staged",
        "ALTER TABLE one RENAME TO two; CREATE TABLE one (n int); INSERT INTO one VALUES (1); DELETE FROM one",
        "ALTER TABLE one SET SCHEMA other", "UPDATE one SET n = 2", "ALTER TABLE one ADD m int DEFAULT random()",
    ]) func `a statement that loses nothing needs no permission`(sql: String) throws {
        try database.sql(
            """
            CREATE SCHEMA other; CREATE TABLE one (n int, short varchar(9), nothing text); CREATE TABLE empty (n int);
            INSERT INTO one VALUES (1, 'x')
            """)
        #expect(try database.migrate([("\(sql);", "")]) == nil)
        #expect(try versions == "a1")
    }

    @Test(arguments: [
        "DROP TABLE one", "/* x */ truncate one", "ALTER TABLE one DROP n", "DELETE FROM one",
        "DO $$ BEGIN DELETE FROM one; COMMIT; END $$", "do $$ begin alter table one\nadd m int, drop n; commit; end $$",
        "DO $$ BEGIN TRUNCATE one; COMMIT; END $$", "DO $$ BEGIN DROP TABLE one; COMMIT; END $$",
    ])
    func `a possible data loss outside a transaction is refused beforehand`(sql: String) throws {
        try database.sql("CREATE TABLE one (n int); INSERT INTO one VALUES (1)")
        let revisions = [("-- outside transaction\n\(sql);", "-- outside transaction\n\(sql);")]
        let said = try database.migrate(revisions)
        #expect(
            said?.hasPrefix("versions/a1.sql:6: this deletes data irrecoverably: it runs outside a transaction") == true
        )
        #expect(try database.sql("SELECT count(*) FROM one") == "1")
        #expect(try database.migrate(revisions) { try await $0.stamp("head") } == nil)
        #expect(try database.migrate(revisions) { try await $0.downgrade() }?.contains("--allow-data-loss") == true)
        #expect(try database.sql("SELECT count(*) FROM one") == "1")
        var options = Migrator.Options()
        options.allowsDataLoss = true
        #expect(try database.migrate(revisions, options) { try await $0.downgrade() } == nil)
    }

    @Test(arguments: [
        ("DO $$ BEGIN DELETE FROM one; END $$", "deletes rows of public.one (2)"),
        (
            "MERGE INTO one USING (VALUES (1)) v (x) ON n > x WHEN MATCHED THEN DELETE",
            "deletes rows of public.one (1)"
        ),
        ("EXPLAIN ANALYZE DELETE FROM one WHERE n = 1", "deletes rows of public.one (1)"),
        ("DO $$ BEGIN EXECUTE 'DROP ' || 'TABLE one'; END $$", "drops table public.one (2 rows)"),
        ("ALTER TABLE one ALTER n TYPE smallint", "changes public.one.n from integer to smallint (2 values)"),
    ]) func `data loss outside a transaction is detected too, unless the statement commits by itself`(
        sql: String, loss: String
    ) throws {
        try database.sql("CREATE TABLE one (n int); INSERT INTO one VALUES (1), (2)")
        let said = try database.migrate([("-- outside transaction\n\(sql);", "")])
        #expect(said?.hasPrefix("versions/a1.sql: a1 loses data: it \(loss)") == true, "\(said ?? "nothing")")
        #expect(try database.sql("SELECT count(*) FROM one") == "2")
        #expect(try versions == "base")
        var options = Migrator.Options()
        options.allowsDataLoss = true
        #expect(try database.migrate([("-- outside transaction\n\(sql);", "")], options) == nil)
    }

    @Test func `a section that is malformed is refused before anything is done`() throws {
        let said = try database.migrate([("CREATE TABLE one (n int);", ""), ("SELECT 1;\nCOMMIT;", "")])
        #expect(said?.hasPrefix("versions/a2.sql:6:") == true, "\(said ?? "nothing")")
        #expect(try database.sql("SELECT to_regclass('one') IS NULL") == "t")
    }

    @Test func `a downgrade that would lose rows needs permission, too`() throws {
        let revisions = [("CREATE TABLE one (n int);", "DROP TABLE one;")]
        #expect(try database.migrate(revisions) == nil)
        try database.sql("INSERT INTO one VALUES (1), (2), (3)")
        let said = try database.migrate(revisions) { try await $0.downgrade(to: "base") }
        #expect(said?.contains("drops table public.one (3 rows)") == true)
        #expect(try versions == "a1")
        try database.sql("DELETE FROM one")
        #expect(try database.migrate(revisions) { try await $0.downgrade(to: "base") } == nil)
        #expect(try versions == "base")
    }

    // MARK: The lock

    /// Runs `body` while another session holds the migration lock. When the migrator waits for the lock, executes the
    /// SQL `meanwhile`, and then releases the lock.
    /// - Returns: the description of the error that `body` throws, if any.
    private func whileLocked(
        _ graph: RevisionGraph, _ meanwhile: String, _ body: @escaping @Sendable (Migrator) async throws -> Void
    ) throws -> String? {
        let configuration = database.directConfiguration()
        let holder = try database.opened("SELECT pg_advisory_lock(\(0x61_6c65_6d62_6963))")
        return try Loop.run {
            let waits = Waiting()
            let migrator = Migrator(graph: graph, configuration: configuration) {
                if $0.hasPrefix("Waiting") { waits.is = true }
            }
            async let said = { () async -> String? in
                do { try await body(migrator) } catch { return "\(error)" }
                return nil
            }()
            for _ in 0..<500 where !waits.is { try await Loop.current?.sleep(for: .milliseconds(20)) }
            let other = try await Connection.open(configuration)
            try await other.script(meanwhile)
            other.close()
            holder.close()
            return await said
        }
    }

    /// Whether a migrator waits for the lock. The conformance to `@unchecked Sendable` is sound: used on one event loop
    /// only.
    private final class Waiting: @unchecked Sendable { var `is` = false }

    @Test func `a relative target that resolves to another revision after the wait is an error`() throws {
        let revisions = [("SELECT 1;", ""), ("SELECT 1;", ""), ("SELECT 1;", "")]
        #expect(try database.migrate(revisions) { try await $0.upgrade(to: "a2") } == nil)
        let graph = try RevisionGraph([
            try revision("a1", "", "SELECT 1;"), try revision("a2", "a1", "SELECT 1;"),
            try revision("a3", "a2", "SELECT 1;"),
        ])
        let down = try whileLocked(graph, "UPDATE alembic_version SET version_num = 'a1'") { try await $0.downgrade() }
        #expect(
            down
                == "-1 refers to a different revision now: the database moved from a2 to a1 in the meantime. Nothing was changed; run the command again"
        )
        let up = try whileLocked(graph, "UPDATE alembic_version SET version_num = 'a2'") {
            try await $0.upgrade(to: "+1")
        }
        #expect(up?.hasPrefix("+1 refers to a different revision now") == true)
        #expect(try versions == "a2")
    }

    @Test func `a revision that stopped halfway while a command waited is not run again by it`() throws {
        let graph = try RevisionGraph([try revision("a1", "", "SELECT 1;"), try revision("a2", "a1", "SELECT 1;")])
        let migrator = Migrator(graph: graph, configuration: database.directConfiguration()) { _ in }
        try Loop.run { try await migrator.upgrade(to: "a1") }
        let halfway = """
            INSERT INTO migration_history (revision, direction, checksum, started_on, duration_ms, host, \
            program_version, outcome, detail)
            VALUES ('a2', 'upgrade', '', now(), 0, '', '', 'halfway', 'half of it')
            """
        let said = try whileLocked(graph, halfway) { try await $0.upgrade() }
        #expect(said?.hasPrefix("a2 failed half-way: half of it") == true)
        #expect(try versions == "a1")
    }

    // MARK: The session

    @Test(arguments: [
        "SET search_path TO other", "SELECT set_config('search_path', 'other', false)", "SET ROLE reader",
        "SET SESSION AUTHORIZATION reader", "SET client_min_messages = error; SET statement_timeout = 1",
        "CREATE SCHEMA postgres", "SET LOCAL search_path TO ''",
    ]) func `changes of a revision to its session end with it`(sql: String) throws {
        try database.sql(
            "CREATE SCHEMA other; DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN OTHERS THEN NULL; END $$")
        let check =
            "CREATE TABLE public.seen AS SELECT current_setting('search_path') AS path, current_user AS name FROM pg_sleep(0.01);"
        for single in [false, true] {
            var options = Migrator.Options()
            options.isOneTransaction = single
            options.allowsDataLoss = true
            #expect(try database.migrate([("\(sql);", ""), (check, "DROP TABLE public.seen;")], options) == nil)
            #expect(try database.sql("SELECT path || ' ' || name FROM seen") == "\"$user\", public postgres")
            #expect(try database.sql("SELECT version_num FROM public.alembic_version") == "a2")
            #expect(try database.sql("SELECT count(*) FROM pg_class WHERE relname = 'alembic_version'") == "1")
            let undone = try database.migrate([("\(sql);", ""), (check, "DROP TABLE public.seen;")], options) {
                try await $0.downgrade(to: "base")
            }
            #expect(undone == nil)
            if sql.hasPrefix("CREATE SCHEMA") { try database.sql("DROP SCHEMA postgres") }
        }
    }

    @Test func `notices and warnings are shown`() throws {
        let lines = Lines()
        let sql = "DO $$ BEGIN RAISE NOTICE 'look'; RAISE WARNING 'here'; END $$; DROP TABLE IF EXISTS nothing;"
        #expect(try database.migrate([(sql, "")], .init(), lines) == nil)
        let said = lines.all.filter { $0.hasPrefix("NOTICE") || $0.hasPrefix("WARNING") }
        #expect(said == ["NOTICE: look", "WARNING: here", "NOTICE: table \"nothing\" does not exist, skipping"])
    }

    // MARK: Other sessions

    @Test func `the blocking sessions are reported, while waiting and after the timeout`() throws {
        try database.sql("CREATE TABLE one (n int)")
        let locker = try database.opened("SET application_name = 'report'; BEGIN; SELECT count(*) FROM one")
        defer { locker.close() }
        let lines = Lines()
        var options = Migrator.Options()
        (options.tableLockTimeout, options.maximumAttempts) = (.milliseconds(700), 2)
        let said = try database.migrate([("ALTER TABLE one ADD m int;", "")], options, lines)
        let blocker = /pid \d+ \(postgres, report, idle in transaction for \d+ s\): BEGIN; SELECT count\(\*\) FROM one/
            .dotMatchesNewlines()
        #expect(said?.contains(blocker) == true || said?.contains("report, idle in transaction") == true)
        #expect(lines.all.contains { $0.hasPrefix("Waiting for pid ") && $0.contains("report") })
        #expect(
            lines.all.contains {
                $0.hasPrefix("a1 timed out waiting for a table lock for pid ") && $0.hasSuffix("1 attempts left")
            })
    }

    @Test func `a lost connection does not end the watch for blocking sessions`() throws {
        try database.sql("CREATE TABLE one (n int)")
        let locker = try database.opened("SET application_name = 'report'; BEGIN; LOCK TABLE one")
        defer { locker.close() }
        var configuration = database.directConfiguration()
        configuration.applicationName = "watch"
        let texts = try Loop.run { [configuration] in
            let waiter = try await Connection.open(configuration)
            try await waiter.script("SET application_name = 'waiter'; SET lock_timeout = 1500")
            var row = try await waiter.execute("SELECT pg_backend_pid()").row(0)
            let watch = BlockerWatch(configuration, pid: try row.next()) { _ in }
            defer {
                watch.close()
                waiter.close()
            }
            var texts: [String] = []
            for _ in 1...2 {
                try? await watch.watching { try await waiter.script("SELECT FROM one") }
                texts.append(watch.text)
                try await waiter.script(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'watch'")
            }
            return texts
        }
        #expect(texts.allSatisfy { $0.contains("report") }, "\(texts)")
    }

    @Test func `an index that is built concurrently waits longer for writers than for a table lock`() throws {
        try database.sql("CREATE TABLE one (n int)")
        let writer = try database.opened("BEGIN; INSERT INTO one VALUES (1)")
        var options = Migrator.Options()
        (options.tableLockTimeout, options.maximumAttempts) = (.milliseconds(100), 1)
        let lines = Lines()
        let configuration = database.directConfiguration()
        let graph = try RevisionGraph([
            try revision("a1", "", "-- outside transaction\nCREATE INDEX CONCURRENTLY one_n ON one (n);")
        ])
        let migrator = Migrator(graph: graph, configuration: configuration, options: options) { lines.add($0) }
        try Loop.run {
            async let run: Void = migrator.upgrade()
            for _ in 0..<500 where !lines.all.contains(where: { $0.hasPrefix("Waiting for pid") }) {
                try await Loop.current?.sleep(for: .milliseconds(20))
            }
            writer.close()
            try await run
        }
        #expect(try database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'one_n'::regclass") == "t")
    }

    @Test func `an index that an interrupted build left invalid is rebuilt`() throws {
        try database.sql("CREATE TABLE one (n int); INSERT INTO one VALUES (1), (1)")
        for words in ["", "IF NOT EXISTS "] {
            _ = try? database.sql("CREATE UNIQUE INDEX CONCURRENTLY one_n ON one (n)")
            #expect(try database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "1")
            let sql = "-- outside transaction\nCREATE UNIQUE INDEX CONCURRENTLY \(words)one_n ON one (n);"
            let down = "-- outside transaction\nDROP INDEX CONCURRENTLY one_n;"
            let said = try database.migrate([(sql, down)])
            #expect(said?.contains("23505") == true && said?.contains("a1 was rolled back") == true)
            #expect(try database.sql("SELECT count(*) FROM pg_class WHERE relname = 'one_n'") == "0")
            _ = try? database.sql("CREATE UNIQUE INDEX CONCURRENTLY one_n ON one (n)")
            try database.sql("UPDATE one SET n = (ctid::text::point)[1]::int")
            #expect(try database.migrate([(sql, down)]) == nil)
            #expect(try database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'one_n'::regclass") == "t")
            #expect(try database.migrate([(sql, down)]) { try await $0.downgrade() } == nil)
            try database.sql("UPDATE one SET n = 1")
        }
    }

    // MARK: The command line

    @Test func `a changed file that was accepted once is accepted`() throws {
        #expect(try database.migrate([("SELECT 1;", "")]) == nil)
        var options = Migrator.Options()
        options.allowsChangedFiles = true
        let changed = [("SELECT 2;", ""), ("SELECT 1;", ""), ("SELECT 1;", "")]
        #expect(try database.migrate(changed) { try await $0.upgrade(to: "a2") }?.contains("was changed") == true)
        #expect(try database.migrate(changed, options) { try await $0.upgrade(to: "a2") } == nil)
        #expect(try database.migrate(changed) { try await $0.upgrade() } == nil)
        #expect(try versions == "a3")
    }

    @Test(arguments: ["+-1", "--1", "-+1", "+", "-", "+1x", "a1+-1", "current--1"])
    func `an invalid target is reported`(target: String) throws {
        let revisions = [("SELECT 1;", ""), ("SELECT 1;", "")]
        #expect(try database.migrate(revisions) { try await $0.upgrade(to: target) } != nil)
        #expect(try database.migrate(revisions) { try await $0.upgrade() } == nil)
        #expect(try database.migrate(revisions) { try await $0.downgrade(to: target) } != nil)
        #expect(try versions == "a2")
    }
}
