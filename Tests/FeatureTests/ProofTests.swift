import EventLoop
import Postgres
import SQL
import TestSupport
import Testing

@testable import Migrations

/// A generated revision is tested in a scratch database before it is written.
@Suite struct ProofTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private struct Thing: Tabular {
        var id: Int64
        var label: String
        struct Columns: Sendable {
            let id = Column(\Thing.id, "id", .primaryKey, default: .serial)
            let label = Column(\Thing.label, "label", .unique)
        }
        static let columns = Columns()
        static let definition = TableDefinition("thing", columns: [columns.id.definition, columns.label.definition])
    }

    private static let table = "CREATE TABLE thing (id bigserial PRIMARY KEY, label text NOT NULL UNIQUE);"

    private func revision(_ id: String, _ parents: String, _ up: String, _ down: String) throws -> Revision {
        try Revision(
            parsing: "-- x\n-- Revision ID: \(id)\n-- Revises: \(parents)\n-- upgrade\n\(up)\n-- downgrade\n\(down)\n",
            file: "versions/\(id).sql")
    }

    /// Returns why a new revision with the sections `up` and `down` is rejected; `nil` if it passes. `sql` sets up the
    /// database; `revisions` is the SQL of the existing revision.
    private func problem(_ sql: String, revisions: String = "SELECT 1;", up: String, down: String) throws -> String? {
        if !sql.isEmpty { try database.sql(sql) }
        let graph = try RevisionGraph([try revision("a1", "", revisions, "")])
        let proof = Proof(
            graph: graph, metadata: Metadata(Thing.definition), configuration: database.directConfiguration())
        let new = try revision("b2", "a1", up, down)
        let problem = try Loop.run { try await proof.problem(with: new) }
        #expect(try database.sql("SELECT to_regclass('alembic_version') IS NULL") == "t")
        return problem
    }

    @Test func `a revision that produces the models' schema and can be reverted passes`() throws {
        #expect(try problem("", up: Self.table, down: "DROP TABLE thing;") == nil)
    }

    @Test func `the scratch schema is created by the revisions, and from the catalog where the database differs`()
        throws
    {
        let problem = try problem(
            "CREATE TYPE mood AS ENUM ('good'); \(Self.table) ALTER TABLE thing ADD mood mood, ADD n int;",
            revisions: "CREATE TYPE mood AS ENUM ('good'); \(Self.table) ALTER TABLE thing ADD m int;",
            up: "ALTER TABLE thing DROP n, DROP mood;", down: "ALTER TABLE thing ADD n int, ADD mood mood;")
        #expect(problem == nil)
    }

    @Test func `revisions that fail in an empty database are no obstacle`() throws {
        let problem = try problem(
            "\(Self.table) CREATE TABLE old (n text); CREATE EXTENSION pg_trgm; CREATE INDEX i ON old USING gin (n gin_trgm_ops)",
            revisions: "ALTER TABLE old ADD m int;",
            up: "DROP TABLE old;",
            down: "CREATE TABLE old (n text); CREATE INDEX i ON old USING gin (n gin_trgm_ops);")
        #expect(problem == nil)
    }

    @Test func `an upgrade that fails or does not produce the models' schema is refused`() throws {
        #expect(
            try problem("", up: "CREATE TABLE thing (id wrong);", down: "")?.hasPrefix(
                "its upgrade fails: versions/b2.sql:5: type \"wrong\" does not exist") == true)
        #expect(
            try problem("", up: "CREATE TABLE thing (id bigserial PRIMARY KEY);", down: "")
                == "its upgrade does not lead to the models: Detected added column 'thing.label'; "
                + "Detected added constraint 'thing_label_key' on 'thing'")
    }

    @Test func `a downgrade that fails or leaves something behind is refused`() throws {
        #expect(
            try problem("", up: Self.table, down: "DROP TABLE things;")?.hasPrefix(
                "its downgrade fails: versions/b2.sql:7: ") == true)
        let add = "ALTER TABLE thing ADD UNIQUE (label);"
        let problem = try problem(
            "CREATE TABLE thing (id bigserial PRIMARY KEY, label text NOT NULL)", up: add, down: "SELECT 1;")
        #expect(
            problem
                == "its downgrade does not revert its upgrade: Detected removed constraint 'thing_label_key' on 'thing'"
        )
    }
}
