import EventLoop
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// `aktify db squash` replaces many revisions with one.
@Suite struct SquashTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func baseline(_ graph: RevisionGraph, upTo id: String) throws -> Baseline {
        let configuration = database.directConfiguration()
        return try Loop.run { try await Squash(graph, upTo: id, configuration: configuration).baseline() }
    }

    /// Creates revisions `a1`, `a2` and so on, each based on the previous one.
    private func chain(_ sections: (up: String, down: String)...) throws -> [Revision] {
        try sections.enumerated().map { try revision("a\($0 + 1)", $0 == 0 ? "" : "a\($0)", $1.up, $1.down) }
    }

    /// The revisions, with a baseline in place of those up to `id`.
    private func squashed(_ revisions: [Revision], upTo id: String) throws -> [Revision] {
        let baseline = try baseline(RevisionGraph(revisions), upTo: id)
        let gone = Set(baseline.replaced.map(\.id))
        return [try Revision(parsing: baseline.text, file: "versions/\(id)_baseline.sql")]
            + revisions.filter { !gone.contains($0.id) }
    }

    /// Runs `body`.
    /// - Returns: the error message if it fails; otherwise `nil`.
    private func failure(
        _ revisions: [Revision], _ body: @escaping @Sendable (Migrator) async throws -> Void
    ) throws -> String? {
        let migrator = Migrator(graph: try RevisionGraph(revisions), configuration: database.directConfiguration()) {
            _ in
        }
        do { try Loop.run { try await body(migrator) } } catch { return "\(error)" }
        return nil
    }

    /// The paths of the files of applied revisions that have changed since they were applied.
    private func changed(_ revisions: [Revision]) throws -> [String] {
        let migrator = Migrator(graph: try RevisionGraph(revisions), configuration: database.directConfiguration()) {
            _ in
        }
        return try Loop.run { try await migrator.changedFiles() }
    }

    private static let two = (
        (up: "CREATE TABLE t (n int);\n-- breaking: t is new", down: "DROP TABLE t;"),
        (up: "ALTER TABLE t ADD m int;", down: "ALTER TABLE t DROP m;")
    )

    @Test(arguments: ["02", "08", "23", "31", "40", "52", "61"])
    func `a baseline produces what the squashed revisions produce, and reverts it`(number: String) throws {
        let graph = try ScriptDirectory("\(checkout)/Tests/FeatureTests/Corpus").graph()
        let baseline = try baseline(graph, upTo: "c0a5e00000\(number)")
        #expect(baseline.replaced.count == Int(number))
        let revision = try Revision(parsing: baseline.text, file: "versions/\(baseline.revision.fileName)")
        #expect(Lint.findings(in: revision) == [])
        #expect(revision.replacement.ids == baseline.replaced.dropLast().map(\.id))
    }

    @Test func `a database at or after the baseline is not affected, and can be upgraded`() throws {
        let old = try chain(Self.two.0, Self.two.1)
        #expect(try failure(old) { try await $0.upgrade() } == nil)
        let new =
            try squashed(old, upTo: "a2") + [
                try revision("a3", "a2", "ALTER TABLE t ADD k int;", "ALTER TABLE t DROP k;")
            ]
        #expect(try changed(new) == [])
        #expect(try failure(new) { try await $0.upgrade() } == nil)
        #expect(
            try database.sql(
                "SELECT string_agg(revision || ':' || breaking, ', ' ORDER BY revision) FROM migration_revision")
                == "a1:t is new, a2:, a3:")
        try database.sql("INSERT INTO t VALUES (1)")
        #expect(try failure(new) { try await $0.downgrade(to: "base") }?.contains("loses data") == true)
        try database.sql("TRUNCATE t")
        #expect(try failure(new) { try await $0.downgrade(to: "base") } == nil)
        #expect(try database.sql("SELECT to_regclass('t') IS NULL") == "t")
    }

    @Test func `a file that was changed before it was squashed is still reported`() throws {
        let old = try chain(Self.two.0, Self.two.1)
        #expect(
            try failure(try chain(Self.two.0, (Self.two.1.up + "\nSELECT 1;", ""))) { try await $0.upgrade() } == nil)
        let new = try squashed(old, upTo: "a2")
        #expect(try changed(new) == ["versions/a2_baseline.sql"])
    }

    @Test func `a database at an earlier squashed revision gets an error that says what to do`() throws {
        let old = try chain(Self.two.0, Self.two.1)
        #expect(try failure(old) { try await $0.upgrade(to: "a1") } == nil)
        let new = try squashed(old, upTo: "a2")
        let words =
            "the database is at a1, which was squashed into a2: upgrade with a version of the program that still has its file first"
        #expect(try failure(new) { try await $0.upgrade() } == words)
        #expect(try failure(new) { _ = try await $0.status() } == words)
        #expect(try failure(new) { try await $0.stamp("a1") } == "a1 was squashed into a2")
        #expect(try failure(new) { try await $0.stamp("a2", purges: true) } == nil)
    }

    @Test func `a new database is created by the baseline alone, with rows and sequence values`() throws {
        let old = try chain(
            (
                """
                CREATE TABLE kind (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, twice int \
                GENERATED ALWAYS AS (2) STORED);
                INSERT INTO kind (name) VALUES ('it''s'), (E'a\\\\b\\n;'), (NULL);
                """, "DROP TABLE kind;"
            ),
            (
                """
                CREATE TABLE thing (kind int REFERENCES kind, a text[], j jsonb, b bytea, t timestamptz, f float8);
                INSERT INTO thing VALUES (2, '{x,"y z"}', '{"a": 1}', '\\x00ff', '2026-01-01Z', 0.1); INSERT INTO \
                thing VALUES (1);
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
                CREATE TRIGGER refuse BEFORE INSERT ON thing EXECUTE FUNCTION refuse();
                CREATE MATERIALIZED VIEW count AS SELECT count(*) FROM thing;
                """, "DROP MATERIALIZED VIEW count; DROP TABLE thing; DROP FUNCTION refuse;"
            ))
        let new = try squashed(old, upTo: "a2")
        #expect(try failure(new) { try await $0.upgrade() } == nil)
        #expect(
            try database.sql(
                "SELECT string_agg(concat_ws(' ', kind, a, j, b, t AT TIME ZONE 'UTC', f), '|' ORDER BY kind DESC) FROM thing"
            )
                == #"2 {x,"y z"} {"a": 1} \x00ff 2026-01-01 00:00:00 0.1|1"#)
        #expect(try database.sql("SELECT * FROM count") == "2")
        #expect(try database.sql("INSERT INTO kind (name) VALUES ('new') RETURNING id").hasPrefix("4"))
        #expect(try changed(new) == [])
    }

    @Test func `a baseline can be squashed again with other revisions`() throws {
        let old = try chain(
            Self.two.0, Self.two.1, ("ALTER TABLE t ADD k int;\n-- breaking: k", "ALTER TABLE t DROP k;"))
        let once = try squashed(old, upTo: "a2")
        let twice = try squashed(once, upTo: "a3")
        #expect(twice.count == 1 && twice[0].replacement.ids == ["a1", "a2"])
        #expect(twice[0].replacement.breaking == ["a1": "t is new"] && twice[0].upgrade.breaking == "k")
        #expect(try failure(old) { try await $0.upgrade() } == nil)
        #expect(try changed(twice) == [])
    }

    @Test func `what cannot be squashed is refused, with the reason`() throws {
        func reason(_ up: String) throws -> String? {
            let revisions = try chain(("CREATE TABLE t (n int, at timestamptz DEFAULT now());", ""), (up, ""))
            do { _ = try squashed(revisions, upTo: "a2") } catch { return "\(error)" }
            return nil
        }
        #expect(
            try reason("INSERT INTO t (n) VALUES (1);")
                == "the rows of public.t differ from run to run: they cannot be inserted by a baseline")
        #expect(
            try reason("INSERT INTO t SELECT n, NULL FROM generate_series(1, 1001) n;")
                == "public.t has more than 1000 rows, too many for a revision")
        #expect(
            try reason("CREATE AGGREGATE product(int) (SFUNC = int4mul, STYPE = int);")
                == "the schema contains unsupported objects: function public.product(integer)")
        #expect(
            try reason("SELECT 1;\nALTER ROLE postgres SET work_mem = '4MB';")
                == "versions/a2.sql:6: it affects the whole server, not only a schema: this cannot be squashed")
        let branched = try chain(("", ""), ("", ""), ("", "")) + [revision("b1", "a1", "")]
        let graph = try RevisionGraph(branched)
        let error = #expect(throws: RevisionGraph.GraphError.self) { try baseline(graph, upTo: "a3") }
        #expect(
            error?.description
                == "versions/b1.sql revises a1, which would be squashed into a3: merge the branches first, and squash "
                + "up to the merge")
        #expect(throws: RevisionGraph.GraphError(description: "a1 has no ancestors: there is nothing to squash")) {
            try baseline(graph, upTo: "a1")
        }
    }

    @Test func `branches that were merged are squashed together`() throws {
        let revisions = [
            try revision("a1", "", "CREATE TABLE t (n int);", "DROP TABLE t;"),
            try revision("b1", "a1", "CREATE TABLE u (n int);", "DROP TABLE u;"),
            try revision("b2", "a1", "CREATE TABLE v (n int);", "DROP TABLE v;"), try revision("c1", "b1, b2", ""),
        ]
        let new = try squashed(revisions, upTo: "c1")
        #expect(new.count == 1 && Set(new[0].replacement.ids) == ["a1", "b1", "b2"])
    }
}
