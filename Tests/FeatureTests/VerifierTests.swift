import EventLoop
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// `db verify` reports the problems of revisions, and has no side effects on the server.
@Suite struct VerifierTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    /// Verifies a revision that is based on a revision with the upgrade `base`.
    /// - Returns: a message for each problem.
    private func problems(with up: String, down: String = "", after base: String = "SELECT 1;") throws -> [String] {
        let graph = try RevisionGraph([
            try revision("a1", "", base, "-- irreversible: it is the first"), try revision("b2", "a1", up, down),
        ])
        let configuration = database.directConfiguration()
        return try Loop.run { try await Verifier(graph: graph, configuration: configuration) { _ in }.problems() }
    }

    private func revision(_ id: String, _ parents: String, _ up: String, _ down: String) throws -> Revision {
        try Revision(
            parsing: "-- x\n-- Revision ID: \(id)\n-- Revises: \(parents)\n-- upgrade\n\(up)\n-- downgrade\n\(down)\n",
            file: "versions/\(id).sql")
    }

    private static let table = """
        CREATE TABLE one (n int); CREATE TYPE mood AS ENUM ('good');
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        """

    @Test func `a role that a scratch database does not create must exist, and the error says so`() throws {
        let role = "left_out_\(UInt32.random(in: 0...UInt32.max))"
        #expect {
            try problems(with: "CREATE ROLE \(role);\nGRANT SELECT ON one TO \(role);", after: Self.table)
        } throws: {
            "\($0)".contains("42704") && "\($0)".contains("create the role \(role) first")
        }
    }

    @Test func `a block that creates a role and commits is refused, and no role is created`() throws {
        let role = "committed_\(UInt32.random(in: 0...UInt32.max))"
        let block = "-- outside transaction\nDO $$ BEGIN CREATE ROLE \(role); COMMIT; END $$;"
        #expect { try problems(with: block) } throws: { "\($0)".contains("it changes roles from inside a function") }
        #expect(try database.sql("SELECT count(*) FROM pg_roles WHERE rolname = '\(role)'") == "0")
    }

    @Test(arguments: [
        ("CREATE VIEW v AS SELECT 1 AS n;", "view public.v"),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1 AS n;", "materialized view public.v"),
        ("CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';", "function g()"),
        ("CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';", "function f()"),
        ("GRANT SELECT ON one TO PUBLIC;", "table public.one"),
        ("GRANT SELECT (n) ON one TO PUBLIC;", "column public.one.n"),
        ("COMMENT ON TABLE one IS 'x';", "comment on table one"),
        ("COMMENT ON COLUMN one.n IS 'x';", "comment on column n of table one"),
        ("CREATE TRIGGER t AFTER INSERT ON one EXECUTE FUNCTION f();", "trigger t on one"),
        ("CREATE SEQUENCE s;", "sequence public.s"),
        ("CREATE TYPE size AS ENUM ('big');", "type size"),
        ("ALTER TYPE mood ADD VALUE 'bad';", "labels of type mood"),
        ("CREATE DOMAIN d AS int CHECK (VALUE > 0);", "type d"),
        ("CREATE EXTENSION pg_trgm;", "extension pg_trgm"),
        ("CREATE SCHEMA other;", "schema other"),
        ("CREATE TABLE two (n int);", "table public.two"),
        ("ALTER TABLE one ENABLE ROW LEVEL SECURITY;", "table public.one"),
        ("CREATE POLICY p ON one USING (true);", "policy p on public.one"),
        ("CREATE STATISTICS st ON n, (n + 1) FROM one;", "statistics public.st"),
    ])
    func `objects that a downgrade leaves behind are reported`(up: String, what: String) throws {
        let problem = try problems(with: up, after: Self.table).first ?? "nothing"
        let difference = problem.trimmingPrefix("versions/b2.sql: its downgrade does not revert its upgrade: ")
        #expect(["unexpected", "changed"].contains { difference.hasPrefix("\($0) ") } && difference.contains(what))
    }

    @Test func `a privilege that is granted and revoked again is not a difference`() throws {
        let problems = try problems(
            with: "GRANT SELECT ON one TO PUBLIC;", down: "REVOKE SELECT ON one FROM PUBLIC;",
            after: "CREATE TABLE one (n int);")
        #expect(problems.isEmpty)
    }

    @Test func `an extension that may have existed before may remain, and others may not`() throws {
        #expect(try problems(with: "CREATE EXTENSION IF NOT EXISTS pg_trgm;", down: "SELECT 1;").isEmpty)
        #expect(try problems(with: "CREATE EXTENSION pg_trgm;", down: "DROP EXTENSION pg_trgm;").isEmpty)
    }

    @Test func `adding a NOT NULL column without a default fails for a table with rows`() throws {
        let tables = """
            CREATE TYPE mood AS ENUM ('good');
            CREATE TABLE one (id bigserial PRIMARY KEY, email text NOT NULL CHECK (email LIKE '%@%'), mood mood NOT \
            NULL,
                stage text NOT NULL CHECK (stage IN ('new', 'old')), score int NOT NULL CHECK (score > 5), born date \
            NOT NULL,
                key uuid NOT NULL, extra jsonb NOT NULL, tags text[] NOT NULL, name varchar(3));
            CREATE TABLE two (one bigint NOT NULL REFERENCES one, at timestamptz NOT NULL);
            """
        let problem = try problems(
            with: "ALTER TABLE two ADD n int NOT NULL;", down: "ALTER TABLE two DROP n;", after: tables)
        #expect(problem.count == 1)
        #expect(problem.first?.hasPrefix("versions/b2.sql: it fails where there are rows: versions/b2.sql:") == true)
        #expect(problem.first?.contains("(23502)") == true)
        // Every column has a sample value, if one can be generated.
        let all = "ALTER TABLE one ALTER name SET NOT NULL;"
        #expect(try problems(with: all, down: "ALTER TABLE one ALTER name DROP NOT NULL;", after: tables).isEmpty)
    }

    @Test func `sample rows do not make a new CHECK fail, and a table that rejects them stays empty`()
        throws
    {
        let tables = "CREATE TABLE one (n int); CREATE TABLE two (n int CHECK (n > 1 AND n < 1));"
        let problems = try problems(
            with: "ALTER TABLE one ADD CHECK (n > 7777); ALTER TABLE two ADD m int NOT NULL;",
            down: "ALTER TABLE one DROP CONSTRAINT one_n_check; ALTER TABLE two DROP m;",
            after: tables.replacing("n int CHECK", with: "n int NOT NULL CHECK"))
        #expect(problems.isEmpty)
    }

    // MARK: The scratch database

    private func scratchDatabases(of name: String) throws -> String {
        try database.sql("SELECT count(*) FROM pg_database WHERE datname LIKE '\(name)%'")
    }

    @Test func `a scratch database is dropped when the task is cancelled`() throws {
        let marker = "lock_\(UInt32.random(in: 0...UInt32.max))"
        let graph = try RevisionGraph([try revision("a1", "", "SELECT pg_sleep(20) AS \(marker);", "")])
        let configuration = database.directConfiguration()
        let sleeper = "FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(20) AS \(marker)%'"
        let gone = try Loop.run { () -> String in
            let monitor = try await Connection.open(configuration)
            defer { monitor.close() }
            func text(_ sql: String) async throws -> String {
                var row = try await monitor.script("SELECT (\(sql))::text").row(0)
                return try row.next()
            }
            let loop = try #require(Loop.current)
            let task = Task(executorPreference: loop) {
                try await Verifier(graph: graph, configuration: configuration) { _ in }.problems()
            }
            for _ in 0..<500 where try await text("SELECT count(*) \(sleeper)") == "0" {
                try await loop.sleep(for: .milliseconds(20))
            }
            let name = try await text("SELECT max(datname) \(sleeper)")
            task.cancel()
            await #expect(throws: (any Error).self) { try await task.value }
            return name
        }
        #expect(gone.hasPrefix("aktify_scratch_"))
        #expect(try scratchDatabases(of: gone) == "0")
    }

    /// Creates a database and connects to it. Tries again if another test drops the database before the connection is
    /// established.
    private func connect(creating name: String) throws -> Connection {
        let configuration = database.directConfiguration(database: name)
        for _ in 0..<20 {
            try database.sql("CREATE DATABASE \(name)")
            if let connection = try? Loop.run({ try await Connection.open(configuration) }) { return connection }
        }
        return try Loop.run { try await Connection.open(configuration) }
    }

    @Test func `scratch databases that were left over an hour ago are dropped, unless somebody is connected to them`()
        throws
    {
        let mark = String(UInt32.random(in: 0...UInt32.max), radix: 16)
        let (old, used) = ("aktify_scratch_1000000000_\(mark)", "aktify_scratch_1000000001_\(mark)")
        let new = "aktify_scratch_\(try database.sql("SELECT extract(epoch FROM now())::bigint - 3000"))_\(mark)"
        for name in [old, new] { try database.sql("CREATE DATABASE \(name)") }
        let user = try connect(creating: used)
        _ = try problems(with: "SELECT 1;", down: "SELECT 1;")
        #expect(try scratchDatabases(of: old) == "0")
        #expect(try scratchDatabases(of: used) == "1")
        #expect(try scratchDatabases(of: new) == "1")
        user.close()
        for name in [used, new] { try database.sql("DROP DATABASE IF EXISTS \(name) WITH (FORCE)") }
    }

    @Test func `creating a scratch database has no timeout`() throws {
        var configuration = database.directConfiguration()
        configuration.statementTimeout = .milliseconds(1)
        let value = try Loop.run { [configuration] in try await ScratchDatabase.with(configuration) { $0.database } }
        #expect(value?.hasPrefix("aktify_scratch_") == true)
    }

    /// The session belongs to a superuser, so the role that owns the scratch database may not terminate the session.
    @Test func `dropping a scratch database waits for a session that its owner may not terminate`() throws {
        let role = "owner_\(UInt32.random(in: 0...UInt32.max))"
        try database.sql("CREATE ROLE \(role) LOGIN CREATEDB")
        let (configuration, database) = (self.database.directConfiguration(user: role), self.database)
        let name = try Loop.run {
            let loop = try #require(Loop.current)
            return try await ScratchDatabase.with(configuration) {
                let monitor = try await Connection.open(database.directConfiguration(database: $0.database))
                _ = loop.schedule(at: .now.advanced(by: .seconds(1))) { monitor.close() }
                return $0.database
            }
        }
        #expect(try scratchDatabases(of: #require(name)) == "0")
    }

    @Test func `a role that may not create databases gets an error that says what is missing`() throws {
        let role = "maker_\(UInt32.random(in: 0...UInt32.max))"
        try database.sql("CREATE ROLE \(role) LOGIN")
        let configuration = PostgresConfiguration(
            server: .parts(
                host: database.socketDirectory, port: 5432, user: role, password: "", database: database.name))
        let error = #expect(throws: MigrationFailed.self) {
            try Loop.run { try await ScratchDatabase.with(configuration) { _ in } }
        }
        #expect(error?.description.hasSuffix("ALTER ROLE \(role) CREATEDB") == true)
    }
}
