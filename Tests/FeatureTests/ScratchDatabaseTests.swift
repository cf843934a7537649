import EventLoop
import Postgres
import SQL
import TestSupport
import Testing

@testable import Migrations

/// Tests in a scratch database have no side effects on the server.
@Suite struct ScratchDatabaseTests {
    private let database: TestDatabase
    /// The name of a role. It is unique to this test, since roles belong to the whole server.
    private let role = "scratch_\(UInt32.random(in: 0...UInt32.max))"

    init() throws { database = try TestDatabase() }

    private func graph(_ ups: [String]) throws -> RevisionGraph {
        try RevisionGraph(
            ups.enumerated().map { try revision("a\($0 + 1)", $0 == 0 ? "" : "a\($0)", $1, "-- irreversible: no") })
    }

    private func verify(_ ups: String...) throws -> [String] {
        let (graph, configuration) = (try graph(ups), database.directConfiguration())
        return try Loop.run { try await Verifier(graph: graph, configuration: configuration) { _ in }.problems() }
    }

    /// Applies the first revision, executes `sql`, and plans the remaining revisions.
    private func plan(_ ups: String..., after sql: String = "SELECT 1") throws -> MigrationPlan {
        let (graph, configuration) = (try graph(ups), database.directConfiguration())
        try Loop.run { try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade(to: "a1") }
        try database.sql(sql)
        return try Loop.run { try await Planner(graph: graph, configuration: configuration).plan() }
    }

    // MARK: Pending

    @Test func `a plan does not change privileges on databases, parameters and so on, nor replication slots`() throws {
        let name = database.name
        try database.sql("CREATE ROLE \(role)")
        let plan = try plan(
            "CREATE TABLE t (n int);",
            """
            REVOKE CONNECT ON DATABASE \(name) FROM PUBLIC; GRANT CREATE ON DATABASE \(name) TO \(role);
            GRANT SET ON PARAMETER log_min_messages TO \(role); COMMENT ON DATABASE \(name) IS 'x';
            SELECT pg_replication_origin_create('\(role)'); SELECT pg_create_physical_replication_slot('\(role)', true);
            DO $$ BEGIN PERFORM pg_create_physical_replication_slot('\(role)'); END $$;
            ALTER TABLE t ADD m int;
            """)
        #expect(plan.problem == nil)
        #expect(
            plan.statements.map(\.doubt)
                == Array(repeating: "not run: it affects the whole server", count: 7) + [nil])
        #expect(try database.sql("SELECT datacl IS NULL FROM pg_database WHERE datname = current_database()") == "t")
        #expect(try database.sql("SELECT has_parameter_privilege('\(role)', 'log_min_messages', 'SET')") == "f")
        #expect(try database.sql("SELECT count(*) FROM pg_replication_origin WHERE roname = '\(role)'") == "0")
        #expect(try database.sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '\(role)'") == "0")
    }

    @Test func `a plan rolls back what a block changes on the server`() throws {
        let plan = try plan(
            "CREATE TABLE t (n int);",
            """
            DO $$ BEGIN
                BEGIN EXECUTE 'GRANT CONNECT ON DATABASE \(database.name) TO pg_monitor'; EXCEPTION WHEN others THEN \
            NULL; END;
            END $$;
            ALTER TABLE t ADD m int;
            """, "ALTER TABLE t ADD k int;")
        #expect(plan.problem == nil && plan.statements.count == 3)
        #expect(try database.sql("SELECT datacl IS NULL FROM pg_database WHERE datname = current_database()") == "t")
    }

    // MARK: Applied

    @Test func `server-wide changes made after a revision was applied are kept`() throws {
        let first = """
            CREATE TABLE t (n int); CREATE ROLE \(role); ALTER ROLE \(role) SET work_mem = '8MB';
            ALTER DATABASE \(database.name) SET work_mem = '8MB';
            """
        let plan = try plan(
            first, "ALTER TABLE t ADD m int;",
            after: "DROP ROLE \(role); ALTER DATABASE \(database.name) SET work_mem = '16MB'")
        #expect(plan.problem == nil)
        #expect(try verify(first, "CREATE TABLE u (n int);") == [])
        #expect(try database.sql("SELECT count(*) FROM pg_roles WHERE rolname = '\(role)'") == "0")
        #expect(
            try database.sql(
                "SELECT setconfig FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = "
                    + "(SELECT oid FROM pg_database WHERE datname = current_database())") == "{work_mem=16MB}")
    }

    @Test func `a block that changes the server is rolled back, with the file`() throws {
        for (change, catalog) in [
            ("CREATE ROLE \(role)", "pg_authid"),
            ("GRANT CONNECT ON DATABASE \(database.name) TO pg_monitor", "pg_database"),
            ("ALTER DATABASE \(database.name) SET work_mem = ''8MB''", "pg_db_role_setting"),
        ] {
            let error = #expect(throws: MigrationFailed.self) {
                try verify("DO $$ BEGIN EXECUTE '\(change)'; EXCEPTION WHEN division_by_zero THEN NULL; END $$;")
            }
            #expect(error?.description.hasPrefix("versions/a1.sql: it changes the shared catalog \(catalog) ") == true)
        }
        #expect(try database.sql("SELECT count(*) FROM pg_roles WHERE rolname = '\(role)'") == "0")
        #expect(try database.sql("SELECT datacl IS NULL FROM pg_database WHERE datname = current_database()") == "t")
    }

    @Test func `a block that changes the current database affects only the scratch database`() throws {
        let change = "EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database())"
        #expect(try verify("DO $$ BEGIN \(change); END $$; CREATE TABLE t (n int);") == [])
    }

    @Test func `a squash refuses server-wide changes`() throws {
        func reason(_ up: String) throws -> String? {
            let (graph, configuration) = (try graph(["CREATE TABLE t (n int);", up]), database.directConfiguration())
            let squash = try Squash(graph, upTo: "a2", configuration: configuration)
            return #expect(throws: MigrationFailed.self) { try Loop.run { _ = try await squash.baseline() } }?
                .description
        }
        for up in [
            "GRANT CONNECT ON DATABASE \(database.name) TO PUBLIC;", "COMMENT ON DATABASE \(database.name) IS 'x';",
            "GRANT pg_monitor TO postgres;", "SELECT pg_replication_origin_create('x');",
        ] {
            #expect(
                try reason(up)
                    == "versions/a2.sql:5: it affects the whole server, not only a schema: this cannot be squashed")
        }
        #expect(
            try reason("DO $$ BEGIN CREATE ROLE \(role); END $$;")?.hasPrefix(
                "versions/a2.sql: it changes the shared catalog pg_authid ") == true)
        #expect(try database.sql("SELECT count(*) FROM pg_roles WHERE rolname = '\(role)'") == "0")
    }

    // MARK: Scratch databases

    @Test func `a contract passes verification, since no program uses a scratch database`() throws {
        let ups = ["CREATE TABLE t (n int, old int);", "-- contract of a1\nALTER TABLE t DROP old;"]
        #expect(try verify(ups[0], ups[1]) == [])
        let (graph, configuration) = (try graph(ups), database.directConfiguration())
        let baseline = try Loop.run { try await Squash(graph, upTo: "a2", configuration: configuration).baseline() }
        #expect(baseline.replaced.count == 2)
    }

    @Test
    func `a scratch database has the collation of the real one, whatever template1 has and whoever is connected to it`()
        throws
    {
        let other = "\(database.name)_sorted"
        try database.sql(
            "CREATE DATABASE \(other) TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
        let template = try Loop.run { [database] in
            try await Connection.open(database.directConfiguration(database: "template1"))
        }
        defer { template.close() }
        let query: Statement = """
            SELECT ARRAY[pg_encoding_to_char(encoding)::text, datcollate, datctype, coalesce(to_jsonb(d) ->> \
            'datlocprovider', ''), coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', '')] FROM \
            pg_database d WHERE datname = current_database()
            """
        for name in [database.name, other] {
            let configuration = database.directConfiguration(database: name)
            let (real, made) = try Loop.run {
                let real = try await Connection.open(configuration)
                defer { real.close() }
                return try await ScratchDatabase.with(configuration) { scratch in
                    let connection = try await Connection.open(scratch)
                    defer { connection.close() }
                    return (try await real.rows(query)[0], try await connection.rows(query)[0])
                }
            }
            #expect(made == real)
        }
    }

    @Test func `objects that were created manually are in the replica, used or not`() throws {
        let plan = try plan(
            "CREATE TABLE t (n int);", "ALTER TABLE t ADD other mood; ALTER TABLE t ADD CHECK (f(n));",
            after: """
                CREATE TYPE mood AS ENUM ('good'); CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql IMMUTABLE AS \
                'SELECT $1 > 0';
                ALTER TABLE t ADD mood mood
                """)
        #expect(plan.problem == nil)
        let unused = try ScratchDatabaseTests(database: TestDatabase()).plan(
            "CREATE TABLE t (n int);", "ALTER TABLE t ADD other mood;", after: "CREATE TYPE mood AS ENUM ('good')")
        #expect(unused.problem == nil)
    }
}

extension ScratchDatabaseTests {
    private init(database: TestDatabase) { self.database = database }
}
