import EventLoop
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// A revision that is not a single transaction resumes where it stopped.
@Suite struct ResumptionTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func outcome(of id: String = "a1") throws -> String {
        try database.sql(
            "SELECT outcome || ' ' || coalesce(progress ->> 'statements', '') FROM migration_history WHERE revision = '\(id)' ORDER BY id DESC LIMIT 1"
        )
    }

    private static let pieces = """
        CREATE TABLE one (n int);
        -- outside transaction
        CREATE UNIQUE INDEX CONCURRENTLY one_n ON one (n);
        -- inside transaction
        INSERT INTO one VALUES (1 / %);
        """

    private func pieces(dividing number: Int) -> [(up: String, down: String)] {
        [(Self.pieces.replacing("%", with: "\(number)"), "DROP TABLE one;")]
    }

    @Test func `it resumes at the failed statement, which may have been fixed`() throws {
        let lines = Lines()
        let said = try #require(try database.migrate(pieces(dividing: 0)))
        #expect(said.contains("division by zero") && said.contains("a1 stopped at line 9 of versions/a1.sql"))
        #expect(try outcome() == "stopped 2")
        #expect(try database.migrate(pieces(dividing: 1), .init(), lines) == nil)
        #expect(lines.all.contains("a1 resumes at line 9 after what an earlier run has completed"))
        #expect(try database.sql("SELECT count(*) FROM one") == "1")
        #expect(try outcome().hasPrefix("applied"))
    }

    @Test func `the executed statements must still be in the file`() throws {
        _ = try database.migrate(pieces(dividing: 0))
        let other = [(up: pieces(dividing: 1)[0].up.replacing("(n int)", with: "(n bigint)"), down: "")]
        #expect(
            try database.migrate(other)?.contains("versions/a1.sql differs from what was run of it before it stopped")
                == true
        )
    }

    @Test func `after its progress is cleared, it starts at its first statement`() throws {
        _ = try database.migrate(pieces(dividing: 0))
        try database.sql("DROP TABLE one")
        #expect(try database.migrate(pieces(dividing: 0)) { try await $0.carryOut(try await $0.repairs()) } == nil)
        #expect(try database.migrate(pieces(dividing: 1)) == nil)
        #expect(try database.sql("SELECT count(*) FROM one") == "1")
    }

    @Test func `a first statement that fails outside a transaction has done nothing`() throws {
        try database.sql("CREATE TABLE one (n int)")
        let said = try database.migrate([("-- outside transaction\nCREATE INDEX CONCURRENTLY x ON one (m);", "")])
        #expect(said?.contains("a1 was rolled back.") == true)
        #expect(try outcome() == "failed 0")
    }

    @Test func `the progress of a procedure that commits by itself is unknown`() throws {
        let block = "-- outside transaction\nDO $$ BEGIN CREATE TABLE two (); COMMIT; PERFORM 1 / 0; END $$;"
        let revisions = [(up: block, down: "")]
        #expect(try database.migrate(revisions)?.contains("a1 failed half-way at line 6 of versions/a1.sql") == true)
        let second = try database.migrate(revisions)
        #expect(second?.contains("--again") == true && second?.contains("aktify db stamp a1") == true)
        try database.sql("DROP TABLE two")
        var options = Migrator.Options()
        options.rerunsInterruptedStatements = true
        #expect(try database.migrate(revisions, options)?.contains("division by zero") == true)
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("outside", "DO $$ BEGIN COMMIT; PERFORM pg_terminate_backend(pg_backend_pid()); END $$", "halfway 1"),
            ("outside", "SELECT pg_terminate_backend(pg_backend_pid())", "stopped 1"),
            ("inside", "SELECT pg_terminate_backend(pg_backend_pid())", "stopped 1"),
        ])
    func
        `a server process that is lost in what commits by itself leaves it in doubt, one that is lost in a transaction does not`(
            mode: String, statement: String, result: String
        ) throws
    {
        let up = "-- outside transaction\nSELECT 1;\n-- \(mode) transaction\n\(statement);"
        #expect(try database.migrate([(up, "")]) != nil)
        #expect(try outcome() == result)
    }

    @Test(.timeLimit(.minutes(1)))
    func `an index whose interrupted build left nothing or an invalid index is rebuilt automatically`() throws {
        let up = "CREATE TABLE one (n int);\n-- outside transaction\nCREATE INDEX CONCURRENTLY one_n ON one (n);"
        let halt = "UPDATE migration_history SET outcome = 'halfway'; DROP INDEX IF EXISTS one_n"
        for leave in [
            "",
            "; CREATE INDEX one_n ON one (n); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'one_n'::regclass",
        ] {
            #expect(try database.migrate([(up + "\nSELECT 1 / 0;", "")]) != nil)
            try database.sql(halt + leave)
            try database.sql("UPDATE migration_history SET progress = progress || '{\"statements\": 1}'")
            try database.sql("UPDATE migration_history SET progress = progress || '{\"done\": \"\"}'")
            #expect(try database.migrate([(up, "")]) == nil)
            #expect(try database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'one_n'::regclass") == "t")
            try database.sql("DROP TABLE one, migration_history, alembic_version")
        }
    }

    @Test func `an index that an interrupted run may have finished needs a decision`() throws {
        let up = "CREATE TABLE one (n int);\n-- outside transaction\nCREATE INDEX CONCURRENTLY one_n ON one (n);"
        #expect(try database.migrate([(up + "\nSELECT 1 / 0;", "")]) != nil)
        try database.sql(
            "UPDATE migration_history SET outcome = 'halfway', progress = progress || '{\"statements\": 1, \"done\": \"\"}'"
        )
        #expect(try database.migrate([(up, "")])?.contains("--again") == true)
    }

    @Test func `a deferred constraint that fails at the COMMIT is reported, and everything is rolled back`() throws {
        let tables =
            "CREATE TABLE one (n int PRIMARY KEY); CREATE TABLE two (n int REFERENCES one DEFERRABLE INITIALLY DEFERRED);"
        let said = try database.migrate([("\(tables)\nINSERT INTO two VALUES (1);", "")])
        #expect(
            said?.hasPrefix("versions/a1.sql: COMMIT failed: ") == true
                && said?.contains("a1 was rolled back.") == true, "\(said ?? "")")
        #expect(try outcome() == "failed")
        #expect(try database.sql("SELECT to_regclass('one') IS NULL") == "t")
    }

    @Test func `a partly reverted revision is reverted before anything else`() throws {
        let first = (up: "CREATE TABLE one (n int);", down: "-- outside transaction\nDROP TABLE one;\nSELECT 1 / 0;")
        #expect(try database.migrate([first]) == nil)
        var options = Migrator.Options()
        options.allowsDataLoss = true
        #expect(
            try database.migrate([first], options) { try await $0.downgrade() }?.contains("stopped at line 9") == true)
        let up = try database.migrate([first, ("SELECT 1;", "")])
        #expect(up?.hasPrefix("the downgrade of a1 is incomplete: it stopped at line 9") == true, "\(up ?? "")")
        let mended = (up: first.up, down: first.down.replacing("1 / 0", with: "1"))
        #expect(try database.migrate([mended], options) { try await $0.downgrade() } == nil)
        #expect(try database.migrate([mended]) == nil)
    }
}

/// The position where a run stopped is never lost or wrong.
@Suite struct ResumptionPositionTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private static let stops = (
        up: "CREATE TABLE one (n int);\n-- outside transaction\nSELECT 1;\n-- inside transaction\nSELECT 1 / 0;",
        down: "SELECT 1;"
    )

    private var row: String {
        get throws {
            try database.sql(
                "SELECT outcome, progress ->> 'statements' FROM migration_history ORDER BY id DESC LIMIT 1")
        }
    }

    @Test func `a resumption is recorded atomically with its position`() throws {
        _ = try database.migrate([Self.stops])
        // The state after a process was killed right after it had written its first row.
        try database.sql(
            """
            CREATE FUNCTION kill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM \
            pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
            CREATE TRIGGER kill AFTER UPDATE ON migration_history FOR EACH STATEMENT EXECUTE FUNCTION kill()
            """)
        #expect(try database.migrate([Self.stops]) != nil)
        #expect(try row == "stopped|2")
    }

    @Test(.timeLimit(.minutes(1)))
    func `a revision in progress looks like a stopped one, and does not make a second command fail`() throws {
        // It commits by itself, so that only the lock shows that it is in progress.
        let slow = [
            (up: "-- outside transaction\nDO $$ BEGIN COMMIT; PERFORM pg_sleep(1); END $$;\nSELECT 1;", down: "")
        ]
        let configuration = database.directConfiguration()
        let graph = try RevisionGraph([try revision("a1", "", slow[0].up)])
        try Loop.run {
            let loop = try #require(Loop.current)
            let first = Task(executorPreference: loop) {
                try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade()
            }
            try await loop.sleep(for: .milliseconds(500))
            let second = Migrator(graph: graph, configuration: configuration) { _ in }
            #expect(try await second.status().entries.map(\.state) == [.running])
            await #expect { try await second.pending(to: "heads") } throws: {
                "\($0)".contains("is in progress")
            }
            try await second.upgrade()
            try await first.value
            #expect(try await second.status().entries.map(\.state) == [.applied])
        }
    }

    @Test func `accepting changed files does not clear the progress of stopped revisions`() throws {
        _ = try database.migrate([Self.stops])
        #expect(
            try database.migrate([Self.stops]) { migrator in
                try await migrator.carryOut(
                    try await migrator.repairs().filter { if case .accept = $0 { true } else { false } })
            } == nil)
        try database.sql(
            "INSERT INTO migration_history SELECT (max(id) + 1), 'a1', 'accept', '', now(), 0, '', '', '', 'accepted' FROM migration_history"
        )
        let lines = Lines()
        _ = try database.migrate([Self.stops], .init(), lines)
        #expect(lines.all.contains { $0.hasPrefix("a1 resumes at line 9") })
    }

    @Test func `a repair is recorded in a history that an older program has created`() throws {
        _ = try database.migrate([("SELECT 1;", "")])
        try database.sql("ALTER TABLE migration_history DROP COLUMN progress")
        #expect(try database.migrate([("SELECT 2;", "")]) { try await $0.carryOut(try await $0.repairs()) } == nil)
        let outcome = "SELECT outcome FROM migration_history ORDER BY id DESC LIMIT 1"
        #expect(try database.sql(outcome) == "accepted")
    }

    @Test func `a stamp clears the progress of stopped revisions`() throws {
        let second = (up: "SELECT 1;", down: "SELECT 1;")
        for target in ["a1", "a2", "base"] {
            _ = try database.migrate([Self.stops, second])
            #expect(try database.migrate([Self.stops, second]) { try await $0.stamp(target) } == nil)
            let lines = Lines()
            #expect(
                try database.migrate([Self.stops, second]) { migrator in
                    for entry in try await migrator.status().entries { lines.add(entry.state.rawValue) }
                } == nil)
            #expect(!lines.all.contains("half-way"))
            try database.sql("DROP TABLE one, alembic_version, migration_history, migration_revision")
        }
    }

    @Test func `the parent of a stopped revision is not reverted`() throws {
        let first = (up: "CREATE TABLE zero (n int);", down: "DROP TABLE zero;")
        _ = try database.migrate([first, Self.stops])
        let said = try database.migrate([first, Self.stops]) { try await $0.downgrade() }
        #expect(
            said?.hasPrefix("a2 depends on a revision that would be reverted, and is incomplete itself") == true,
            "\(said ?? "")")
    }

    @Test func `a statement that ends its transaction is reported, with unknown progress`() throws {
        // psql, too, takes the name for the beginning of a body, and splits the statement elsewhere.
        let smuggled = "CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMIT; SELECT 1 / 0;"
        let said = try database.migrate([("CREATE TABLE t (n int);\n\(smuggled)", "")])
        #expect(said?.contains("the effect of that statement is unknown") == true, "\(said ?? "")")
        #expect(try row.hasPrefix("halfway"))
    }

    @Test func `a revision that releases the migration lock fails`() throws {
        let said = try database.migrate([("SELECT pg_advisory_unlock_all();", "")])
        #expect(said?.hasPrefix("the migration lock was lost") == true)
        #expect(try database.sql("SELECT count(*) FROM alembic_version") == "0")
    }

    @Test func `settings do not leak out of a statement outside a transaction`() throws {
        try database.sql("CREATE SCHEMA other")
        #expect(
            try database.migrate([
                ("-- outside transaction\nSELECT set_config('search_path', 'other', false);", ""),
                ("CREATE TABLE t ();", ""),
            ])
                == nil)
        #expect(try database.sql("SELECT to_regclass('public.t') IS NOT NULL") == "t")
    }

    @Test func `an unrelated index with the name of a column is not touched`() throws {
        try database.sql("CREATE TABLE one (n int); CREATE TABLE two (email int); INSERT INTO two VALUES (1), (1)")
        _ = try? database.sql("CREATE UNIQUE INDEX CONCURRENTLY n ON two (email)")
        #expect(
            try database.migrate([("-- outside transaction\nCREATE INDEX CONCURRENTLY one_n ON one (n);", "")]) == nil)
        #expect(try database.sql("SELECT to_regclass('n') IS NOT NULL") == "t")
    }
}
