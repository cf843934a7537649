import EventLoop
import Postgres
import SQL
import TestSupport
import Testing

@testable import AktifyAPI
@testable import Migrations

/// Flaws of a database that `db check` reports, besides its differences from the models.
@Suite struct FlawTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func flaws() throws -> [String] {
        let configuration = database.directConfiguration()
        return try Loop.run { try await SchemaDefects.found(in: configuration) }
    }

    @Test func `an invalid index is reported`() throws {
        try database.sql("CREATE TABLE one (n int); INSERT INTO one VALUES (1), (1)")
        #expect(try flaws() == [])
        #expect(throws: (any Error).self) { try database.sql("CREATE UNIQUE INDEX CONCURRENTLY odd ON one (n)") }
        #expect(
            try flaws() == ["the index odd on one is invalid, and not used: REINDEX INDEX CONCURRENTLY odd"])
        try database.sql("DELETE FROM one")
        try database.sql("REINDEX INDEX CONCURRENTLY odd")
        #expect(try flaws() == [])
    }

    @Test(.timeLimit(.minutes(1))) func `an index that is being built is not reported`() throws {
        try database.sql("CREATE TABLE one (n int)")
        var builder = database.directConfiguration()
        builder.statementTimeout = .seconds(60)
        try Loop.run { [builder, configuration = database.directConfiguration()] in
            let loop = try #require(Loop.current)
            let writer = try await Connection.open(builder)
            defer { writer.close() }
            try await writer.script("BEGIN; INSERT INTO one VALUES (1)")
            let build = Task(executorPreference: loop) {
                let connection = try await Connection.open(builder)
                defer { connection.close() }
                try await connection.script("CREATE INDEX CONCURRENTLY odd ON one (n)")
            }
            let connection = try await Connection.open(configuration)
            defer { connection.close() }
            var isThere = false
            while !isThere {
                var row = try await connection.execute("SELECT to_regclass('odd') IS NOT NULL").row(0)
                isThere = try row.next()
                try await loop.sleep(for: .milliseconds(10))
            }
            #expect(try await SchemaDefects.found(in: configuration) == [])
            let migrator = Migrator(graph: try RevisionGraph([]), configuration: configuration) { _ in }
            #expect(try await migrator.repairs() == [])
            try await writer.script("COMMIT")
            try await build.value
        }
    }

    @Test func `a constraint that is not validated is reported, but does not count as a difference`() throws {
        try database.sql("CREATE TABLE one (n int); ALTER TABLE one ADD CHECK (n > 0) NOT VALID")
        #expect(
            try flaws() == [
                "the constraint one_n_check on one is not validated for existing rows: ALTER TABLE one VALIDATE "
                    + "CONSTRAINT one_n_check"
            ])
        let changes = try SchemaTrial.run(in: database) { trial in
            let valid = try await trial.catalog("valid", "CREATE TABLE one (n int CHECK (n > 0))")
            let other = try await trial.catalog(
                "other", "CREATE TABLE one (n int); ALTER TABLE one ADD CHECK (n > 0) NOT VALID")
            return Differences(actual: other, wanted: valid).changes.count
        }
        #expect(changes == 0)
        try database.sql("ALTER TABLE one VALIDATE CONSTRAINT one_n_check")
        #expect(try flaws() == [])
    }

    @Test func `disabled triggers are reported, with the foreign keys that they enforce`() throws {
        try database.sql(
            """
            CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE "Two" (one int REFERENCES one);
            CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER "T" AFTER INSERT ON "Two" EXECUTE FUNCTION f(); ALTER TABLE "Two" DISABLE TRIGGER ALL
            """)
        #expect(
            try flaws() == [
                "the foreign key \"Two_one_fkey\" is not enforced on \"Two\", since its triggers are disabled: ALTER TABLE \"Two\" "
                    + "ENABLE TRIGGER ALL",
                "the trigger \"T\" on \"Two\" is disabled: ALTER TABLE \"Two\" ENABLE TRIGGER \"T\"",
            ])
        try database.sql("ALTER TABLE \"Two\" ENABLE TRIGGER ALL")
        #expect(try flaws() == [])
    }

    // MARK: Rights

    private func refusal(_ configuration: PostgresConfiguration) -> String {
        do {
            _ = try Loop.run { try await Catalog.compared(metadata, configuration) }
        } catch { return "\(error)" }
        return "no refusal"
    }

    @Test func `a read-only role gets an error of one line with the privilege that the comparison needs`() throws {
        let role = "reader_\(UInt32.random(in: 0...UInt32.max))"
        try database.sql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role)")
        let configuration = PostgresConfiguration(
            server: .parts(
                host: database.socketDirectory, port: 5432, user: role, password: "", database: database.name))
        #expect(
            refusal(configuration)
                == "the comparison of database and models creates a schema, and rolls it back, which \(role) is not "
                + "allowed to do: run it as the database's owner, or GRANT CREATE ON DATABASE \(database.name) TO \(role)"
        )
        try database.sql("GRANT CREATE ON DATABASE \(database.name) TO \(role)")
        #expect(refusal(configuration) == "no refusal")
    }

    @Test func `a read-only server is reported in one line`() throws {
        try database.sql("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
        let said = refusal(database.directConfiguration())
        #expect(said.contains("read-only: run it against the primary, without default_transaction_read_only"))
        #expect(!said.contains("\n"))
    }
}
