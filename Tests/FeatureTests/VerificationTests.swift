import EventLoop
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// The sections that test a revision: `-- verify`, with queries that must return true after the upgrade, and
/// `-- fixtures`, which inserts rows before `db verify` tests the upgrade.
@Suite struct VerificationTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func up(_ sql: String, verify: String) -> [(up: String, down: String)] {
        [(sql, "DROP TABLE one;\n-- verify\n\(verify)")]
    }

    @Test(arguments: [
        ("SELECT count(*) = 2 FROM one;", "it returns false, not true"),
        ("SELECT true WHERE false;", "it returns no row"),
        ("SELECT NULL::bool;", "it returns NULL, not true"), ("SELECT 1;", "it returns 1, not true"),
        ("SELECT n > 1 FROM one;", "it returns false, not true"), ("SELECT 1 / 0;", "division by zero"),
        ("DO $$ BEGIN RAISE 'no'; END $$;", "no"),
    ]) func `a revision whose verification is not true is rolled back`(verify: String, reason: String) throws {
        let said = try database.migrate(up("CREATE TABLE one AS SELECT 1 AS n;", verify: "SELECT true;\n" + verify))
        #expect(
            said?.hasPrefix("versions/a1.sql:10: verification of a1: ") == true && said?.contains(reason) == true,
            "\(said ?? "")")
        #expect(said?.contains("a1 was rolled back.") == true)
        #expect(try database.sql("SELECT to_regclass('one') IS NULL") == "t")
    }

    @Test func `the effects of a verification are rolled back`() throws {
        let verify = "SET search_path = pg_catalog; SELECT count(*) = 1 FROM public.one;"
        #expect(try database.migrate(up("CREATE TABLE one AS SELECT 1 AS n;", verify: verify)) == nil)
        let writes = try database.migrate([
            ("CREATE TABLE one AS SELECT 1 AS n;", "DROP TABLE one;\n-- verify\n\(verify)"),
            ("SELECT 1;", "-- verify\nDELETE FROM one;"),
        ])
        #expect(writes?.contains("cannot execute DELETE in a read-only transaction") == true)
        #expect(try database.sql("SELECT count(*) FROM one") == "1")
    }

    @Test
    func `after steps outside a transaction, a failed verification stops the revision, which resumes when it is true`()
        throws
    {
        let revisions = up("-- outside transaction\nCREATE TABLE one (n int);", verify: "SELECT count(*) = 1 FROM one;")
        #expect(try database.migrate(revisions)?.contains("a1 stopped after its last statement") == true)
        try database.sql("INSERT INTO one VALUES (1)")
        #expect(try database.migrate(revisions) == nil)
    }

    @Test func `db check reruns verification queries, which the checksum does not cover`() throws {
        #expect(
            try database.migrate(up("CREATE TABLE one AS SELECT 1 AS n;", verify: "SELECT count(*) = 1 FROM one;"))
                == nil)
        let lines = Lines()
        let ask: @Sendable (Migrator) async throws -> Void = { migrator in
            for problem in try await migrator.failedVerifications() { lines.add(problem) }
            #expect(try await migrator.changedFiles() == [])
        }
        #expect(
            try database.migrate(
                up("CREATE TABLE one AS SELECT 1 AS n;", verify: "SELECT count(*) = 1 FROM one;"), body: ask) == nil)
        #expect(lines.all == [])
        let more = "SELECT true;\nSELECT count(*) = 2 FROM one;"
        #expect(try database.migrate(up("CREATE TABLE one AS SELECT 1 AS n;", verify: more), body: ask) == nil)
        #expect(
            lines.all.count == 1
                && lines.all.first?.hasPrefix("versions/a1.sql:10: verification of a1: it returns false") == true)
    }

    // MARK: db verify

    private func problems(_ second: (up: String, down: String)) throws -> [String] {
        let graph = try RevisionGraph([
            try revision("a1", "", "CREATE TABLE one (n int PRIMARY KEY, name text);", "DROP TABLE one;"),
            try revision("b2", "a1", second.up, second.down),
        ])
        let configuration = database.directConfiguration()
        return try Loop.run { try await Verifier(graph: graph, configuration: configuration) { _ in }.problems() }
    }

    private static let fixtures = "-- fixtures\nINSERT INTO one VALUES (7, ' Ada '), (8, 'Bob');\n"

    @Test func `a revision is tested with its fixtures, and its verification sees them`() throws {
        let down = "ALTER TABLE one DROP size;\n\(Self.fixtures)-- verify\nSELECT size = 5 FROM one WHERE n = 7;"
        let add = "ALTER TABLE one ADD size int; UPDATE one SET size = length(name);"
        #expect(try problems((add, down)) == [])
        #expect(throws: MigrationFailed.self) { try problems((add, down.replacing("size = 5", with: "size = 3"))) }
    }

    @Test func `a downgrade must restore the rows`() throws {
        let trim = "UPDATE one SET name = trim(name);"
        #expect(
            try problems((trim, "SELECT 1;\n\(Self.fixtures)")) == [
                "versions/b2.sql: after its downgrade, the rows of one differ from before its upgrade"
            ])
        #expect(try problems((trim, "UPDATE one SET name = ' Ada ' WHERE name = 'Ada';\n\(Self.fixtures)")) == [])
        #expect(try problems(("-- data loss: blanks\n\(trim)", "SELECT 1;\n\(Self.fixtures)")) == [])
    }

    @Test func `a revision must succeed with its fixtures, which are never left out`() throws {
        let check = "ALTER TABLE one ADD CHECK (n < 8);"
        let error = #expect(throws: MigrationFailed.self) {
            try problems((check, "ALTER TABLE one DROP CONSTRAINT one_n_check;\n\(Self.fixtures)"))
        }
        #expect(error?.description.contains("is violated by some row") == true)
        let broken = #expect(throws: MigrationFailed.self) {
            try problems((check, "SELECT 1;\n-- fixtures\nINSERT INTO two VALUES (1);"))
        }
        #expect(broken?.description.hasPrefix("versions/b2.sql:9: relation \"two\" does not exist") == true)
    }
}
