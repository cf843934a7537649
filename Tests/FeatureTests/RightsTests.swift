import Authentication
import EventLoop
import HTTPTypes
import Migrations
import ORM
import Postgres
import Resources
import SQL
import TestSupport
import Testing
import Web

@testable import AktifyAPI

/// The serving role has exactly the privileges that the application's statements need.
@Suite struct RightsTests {
    /// Creates a migrated database with an owner and a serving role that has the required privileges.
    private static func grantedDatabase() throws -> TestDatabase {
        let database = try TestDatabase()
        try database.makeRoles()
        let graph = try ScriptDirectory("\(checkout)/migrations").graph()
        let owner = database.directConfiguration(user: database.owner)
        try Loop.run {
            try await Migrator(graph: graph, configuration: owner) { _ in }.upgrade()
            _ = try await audit(database).fix([.safe])
        }
        return database
    }

    private static func audit(_ database: TestDatabase) -> RightsAudit {
        RightsAudit(
            of: database.app, needing: rights, on: database.directConfiguration(user: database.owner))
    }

    private static func findings(_ database: TestDatabase) throws -> [RightsFinding] {
        try Loop.run { try await audit(database).findings() }
    }

    // MARK: Required privileges

    /// Executes the statements of the routes, the API keys, the readiness check and the startup check as the serving
    /// role. The only expected failure is a missing privilege.
    /// - Returns: the statements that fail.
    private static func refused(_ database: TestDatabase) throws -> [String] {
        try database.sql(
            "TRUNCATE campaign, idempotency_key RESTART IDENTITY; INSERT INTO campaign (name) VALUES ('One'), ('Two'), ('Three'), ('Four')"
        )
        return try Loop.run {
            var config = try Config(environment: ["AUTH": "off"], readFile: { _ in nil })
            config.database = database.directConfiguration(user: database.app)
            let app = Database(config.database)
            let client = TestClient(try createApp(config, database: app))
            let recorder = QueryRecorder()
            try await QueryRecorder.$current.withValue(recorder) {
                for ask in QueryTests.requests {
                    var headers = ask.headers
                    if ask.body != nil { headers[.contentType] = "application/json" }
                    _ = try? await client.send(
                        ask.method, ask.target, headers: headers, body: Array((ask.body ?? "").utf8))
                }
                _ = try? await client.send(.get, "/campaigns/", headers: [.accept: "text/csv"])
                try await ignoringRefusals { _ = try await APIKeys(app).find(APIKey()) }
                try await ignoringRefusals { try await APIKeys(app).recordUse(of: 1) }
                // With an unexpected schema, the check queries the applied revisions.
                let health = HealthService(app, schema: SchemaCheck(heads: ["new"], revisions: ["new"]))
                do { try await health.check() } catch is NotReady {} catch let error as PostgresError {
                    guard isRefusal(error.state?.code) else { throw error }
                }
            }
            let failed = recorder.statements.filter { $0.error != nil }
            #expect(failed.allSatisfy { isRefusal($0.error) })
            return failed.map { $0.statement.text }
        }
    }

    private static func ignoringRefusals(_ body: () async throws -> Void) async throws {
        do { try await body() } catch let error as PostgresError where isRefusal(error.state?.code) {}
    }

    /// Whether an SQLSTATE means that a privilege is missing. Without USAGE on a schema, Postgres reports its tables as
    /// undefined (42P01).
    private static func isRefusal(_ state: String?) -> Bool { state == "42501" || state == "42P01" }

    @Test func `with the declared privileges, everything works`() throws {
        let database = try Self.grantedDatabase()
        #expect(try Self.refused(database).isEmpty)
        #expect(try Self.findings(database).isEmpty)
    }

    /// The granted privileges, in the syntax of `REVOKE`.
    private static let granted: [String] =
        rights.map { right in
            "\(right.privilege.rawValue)\(right.column.map { " (\($0))" } ?? "") ON \(right.table)"
        } + ["USAGE ON SEQUENCE campaign_id_seq", "USAGE ON SCHEMA public"]

    @Test(arguments: granted) func `without any one of the privileges, a statement fails`(right: String) throws {
        let database = try Self.grantedDatabase()
        // By default, PUBLIC has this privilege, too.
        try database.sql("REVOKE USAGE ON SCHEMA public FROM PUBLIC; REVOKE \(right) FROM \(database.app)")
        #expect(try !Self.refused(database).isEmpty, "nothing needs \(right): it is a right too much")
        let lacking = try Self.findings(database).map(\.description)
        #expect(lacking.contains { $0.hasPrefix("\(database.app) lacks \(right): GRANT \(right) TO ") }, "\(lacking)")
    }

    @Test func `the privileges on a resource's table follow from its routes`() throws {
        func privileges(_ methods: [HTTPRequest.Method]) -> [Right.Privilege] {
            let resource = MountedResource("/x") { (_: any Repository<Campaign>) in
                var blueprint = Blueprint("x")
                for method in methods { blueprint.route(method, "/") { _ in Response(.ok) } }
                return blueprint
            }
            #expect(resource.rights.allSatisfy { $0.table == "campaign" && $0.column == nil })
            return resource.rights.map(\.privilege)
        }
        #expect(privileges([.get]) == [.select])
        #expect(privileges([.post]) == [.select, .insert])
        #expect(privileges([.put]) == [.select, .update] && privileges([.patch]) == [.select, .update])
        #expect(privileges([.get, .delete]) == [.select, .delete])
        #expect(privileges([]) == [])
    }

    // MARK: Grants

    @Test func `granted privileges are not granted again, and revoked ones are restored`() throws {
        let database = try Self.grantedDatabase()
        try database.sql("GRANT UPDATE ON api_key TO \(database.app); REVOKE SELECT ON campaign FROM \(database.app)")
        try Loop.run {
            let audit = Self.audit(database)
            #expect(try await audit.fix([.safe]) == ["GRANT SELECT ON campaign TO \(database.app)"])
            // Revoking a privilege on a table also revokes it on the columns.
            let statements = try await audit.fix([.safe, .exact])
            #expect(
                statements == [
                    "REVOKE UPDATE ON api_key FROM \(database.app)",
                    "GRANT UPDATE (last_used_on) ON api_key TO \(database.app)",
                ])
            #expect(try await audit.fix([.safe, .exact]).isEmpty)
            #expect(try await audit.findings().isEmpty)
        }
    }

    @Test func `concurrent grants do not interfere with each other`() throws {
        let database = try Self.grantedDatabase()
        try database.sql("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM \(database.app)")
        try Loop.run {
            let audit = Self.audit(database)
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask(executorPreference: Loop.current) { try await audit.fix([.safe]).count }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts.sorted() == [0, 0, 0, rights.count])
        }
    }

    @Test func `the script sets the given passwords, and keeps the others`() throws {
        let (database, folder) = (try TestDatabase(), try Folder())
        let variables = [
            "PGHOST": database.socketDirectory, "PGUSER": "postgres", "OWNER": database.owner, "APP": database.app,
        ]
        let file = "\(folder.path)/password"
        try run(["sh", "-c", "echo \"it's\" >\(file)"])
        let passwords = ["OWNER_PASSWORD_FILE": file, "APP_PASSWORD": "a b\\'c"]
        try run(["scripts/database-roles", database.name], environment: variables.merging(passwords) { $1 })
        let stored =
            "SELECT string_agg(left(rolpassword, 14) || md5(rolpassword), ' ' ORDER BY rolname) FROM pg_authid WHERE rolname LIKE '%\(database.name)'"
        let first = try database.sql(stored)
        #expect(first.split(separator: "SCRAM-SHA-256$").count == 2)
        try run(["scripts/database-roles", database.name], environment: variables)
        #expect(try database.sql(stored) == first)
    }

    @Test func `a missing role is reported`() throws {
        let database = try TestDatabase()
        let audit = RightsAudit(of: "nobody", needing: rights, on: database.directConfiguration())
        #expect(throws: MigrationFailed.self) { try Loop.run { try await audit.findings() } }
    }

    @Test func `a superuser lacks no privileges, and has excessive ones`() throws {
        let database = try migratedDatabase()
        let audit = RightsAudit(of: "postgres", needing: rights, on: database.directConfiguration())
        let problems = try Loop.run { try await audit.findings().map(\.problem) }
        #expect(problems.contains("postgres has SUPERUSER") && !problems.contains { $0.contains("lacks") })
    }

    /// Statements that grant an excessive privilege or ownership, each with a part of the expected finding. `{app}`,
    /// `{owner}` and `{db}` are placeholders.
    private static let excesses: [(String, String)] = [
        ("ALTER ROLE {app} SUPERUSER", "{app} has SUPERUSER: ALTER ROLE {app} NOSUPERUSER;"),
        ("ALTER ROLE {app} CREATEDB", "ALTER ROLE {app} NOCREATEDB;"),
        ("ALTER ROLE {app} CREATEROLE", "ALTER ROLE {app} NOCREATEROLE;"),
        ("ALTER ROLE {app} REPLICATION", "ALTER ROLE {app} NOREPLICATION;"),
        ("ALTER ROLE {app} BYPASSRLS", "ALTER ROLE {app} NOBYPASSRLS;"),
        ("GRANT pg_read_server_files TO {app}", "REVOKE pg_read_server_files FROM {app};"),
        ("GRANT pg_write_server_files TO {app}", "REVOKE pg_write_server_files FROM {app};"),
        ("GRANT pg_execute_server_program TO {app}", "REVOKE pg_execute_server_program FROM {app};"),
        ("GRANT pg_write_all_data TO {app}", "REVOKE pg_write_all_data FROM {app};"),
        ("GRANT {owner} TO {app}", "{app} is a member of {owner}: REVOKE {owner} FROM {app};"),
        (
            "ALTER TABLE campaign OWNER TO {app}",
            "{app} owns table campaign: ALTER TABLE public.campaign OWNER TO {owner};"
        ),
        ("ALTER FUNCTION record_change OWNER TO {app}", "ALTER FUNCTION public.record_change() OWNER TO {owner};"),
        ("ALTER SCHEMA public OWNER TO {app}", "ALTER SCHEMA public OWNER TO {owner};"),
        (
            "ALTER DATABASE {db} OWNER TO {app}; GRANT CONNECT ON DATABASE {db} TO {owner}",
            "ALTER DATABASE {db} OWNER TO {owner};"
        ),
        (
            "GRANT CREATE ON DATABASE {db} TO {app}",
            "{app} has CREATE on the database: REVOKE CREATE ON DATABASE {db} FROM {app};"
        ),
        ("GRANT TEMP ON DATABASE {db} TO PUBLIC", "PUBLIC has TEMPORARY on the database: REVOKE TEMPORARY"),
        ("GRANT CREATE ON SCHEMA public TO {app}", "REVOKE CREATE ON SCHEMA public FROM {app};"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "PUBLIC has CREATE on schema public: REVOKE CREATE"),
        (
            "CREATE SCHEMA \"Other\"; GRANT USAGE ON SCHEMA \"Other\" TO {app}",
            "REVOKE USAGE ON SCHEMA \"Other\" FROM {app};"
        ),
        (
            "GRANT TRUNCATE ON campaign TO {app}",
            "{app} has TRUNCATE ON campaign: REVOKE TRUNCATE ON campaign FROM {app};"
        ),
        ("GRANT TRIGGER ON campaign TO {app}", "REVOKE TRIGGER ON campaign FROM {app};"),
        ("GRANT REFERENCES ON campaign TO {app}", "REVOKE REFERENCES ON campaign FROM {app};"),
        ("GRANT INSERT ON api_key TO {app}", "REVOKE INSERT ON api_key FROM {app};"),
        ("GRANT UPDATE (role) ON api_key TO {app}", "REVOKE UPDATE (role) ON api_key FROM {app};"),
        ("GRANT DELETE ON change_record TO {app}", "REVOKE DELETE ON change_record FROM {app};"),
        ("GRANT SELECT ON migration_history TO {app}", "REVOKE SELECT ON migration_history FROM {app};"),
        ("GRANT SELECT ON campaign TO PUBLIC", "PUBLIC has SELECT ON campaign: REVOKE SELECT ON campaign FROM PUBLIC;"),
        ("GRANT UPDATE ON SEQUENCE campaign_id_seq TO {app}", "REVOKE UPDATE ON SEQUENCE campaign_id_seq FROM {app};"),
        ("GRANT USAGE ON SEQUENCE api_key_id_seq TO {app}", "REVOKE USAGE ON SEQUENCE api_key_id_seq FROM {app};"),
        (
            "SET ROLE {owner}; GRANT SELECT ON campaign TO {app} WITH GRANT OPTION",
            "{app} may grant SELECT ON campaign: REVOKE GRANT OPTION FOR SELECT ON campaign FROM {app};"
        ),
        (
            "GRANT EXECUTE ON FUNCTION record_change TO PUBLIC",
            "PUBLIC may execute record_change(), which runs as its owner: REVOKE EXECUTE ON ROUTINE record_change() FROM PUBLIC;"
        ),
        ("GRANT EXECUTE ON FUNCTION record_change TO {app}", "REVOKE EXECUTE ON ROUTINE record_change() FROM {app};"),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT SELECT ON TABLES TO {app}",
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public REVOKE SELECT ON TABLES FROM {app};"
        ),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT INSERT ON TABLES TO PUBLIC",
            "PUBLIC gets INSERT on new tables of {owner}: ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE INSERT ON TABLES FROM PUBLIC;"
        ),
        (
            "GRANT SET ON PARAMETER session_replication_role TO {app}",
            "REVOKE ALL ON PARAMETER session_replication_role FROM {app};"
        ),
        ("GRANT CREATE ON TABLESPACE pg_default TO {app}", "REVOKE ALL ON TABLESPACE pg_default FROM {app};"),
    ]

    @Test(arguments: excesses) func `an excessive privilege is found, and the reported statement fixes it`(
        statement: String, line: String
    ) throws {
        let database = try Self.grantedDatabase()
        func named(_ text: String) -> String { database.named(text) }
        // A role that is left over would have privileges in the databases of other tests.
        defer { _ = try? database.sql(named("ALTER ROLE {app} NOSUPERUSER")) }
        try database.sql(named(statement))
        let findings = try Self.findings(database)
        #expect(findings.contains { "\($0)".contains(named(line)) }, "\(findings)")
        // The owner of an object has no explicit grants on it, so they are missing after it has lost the ownership.
        var left = findings
        for _ in 0..<3 where !left.isEmpty {
            for finding in left { try database.sql(finding.statement) }
            left = try Self.findings(database)
        }
        #expect(left.isEmpty)
    }

    // MARK: Attempts

    /// Statements that the serving role must not be able to execute.
    private static let attempts = [
        "DROP TABLE campaign", "CREATE TABLE public.mine ()", "CREATE TEMP TABLE mine ()", "CREATE SCHEMA mine",
        "ALTER TABLE campaign ADD COLUMN mine text", "TRUNCATE campaign", "CREATE INDEX ON campaign (name)",
        "CREATE DATABASE mine", "CREATE ROLE mine", "CREATE EXTENSION citext", "COMMENT ON TABLE campaign IS 'mine'",
        "COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/tmp/aktify-mine'",
        "COPY campaign (name) FROM '/etc/hostname'",
        "SELECT pg_read_file('/etc/hostname')", "SELECT pg_ls_dir('/')", "SELECT lo_import('/etc/hostname')",
        "SELECT lo_export(1, '/tmp/aktify-mine')", "SELECT * FROM pg_authid", "SELECT * FROM pg_shadow",
        "SET ROLE {owner}", "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres", "ALTER ROLE {app} SUPERUSER",
        "UPDATE change_record SET author = 'another'", "DELETE FROM change_record", "TRUNCATE change_record",
        "INSERT INTO change_record (table_name, row_id, operation) VALUES ('campaign', '1', 'insert')",
        "SELECT nextval('change_record_id_seq')", "SELECT setval('campaign_id_seq', 1)",
        "INSERT INTO api_key (name, role, hash, created_by) VALUES ('mine', 'admin', '', 'me')",
        "UPDATE api_key SET role = 'admin'", "UPDATE api_key SET hash = ''", "UPDATE api_key SET revoked_on = NULL",
        "UPDATE api_key SET expires_on = NULL", "DELETE FROM api_key", "UPDATE idempotency_key SET answer = '[]'",
        "ALTER TABLE campaign DISABLE TRIGGER campaign_record_change",
        "DROP TRIGGER campaign_record_change ON campaign",
        "CREATE TRIGGER mine BEFORE UPDATE ON campaign FOR EACH ROW EXECUTE FUNCTION record_change('id')",
        "SET session_replication_role = replica", "SET log_statement = 'none'", "ALTER SYSTEM SET fsync = off",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION record_change CASCADE",
        "CREATE OR REPLACE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "UPDATE alembic_version SET version_num = 'mine'", "DELETE FROM migration_revision",
        "SELECT * FROM migration_history", "BEGIN; LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    ]

    @Test(arguments: attempts) func `the serving role cannot do what no request needs`(attempt: String) throws {
        let database = try Self.grantedDatabase()
        try database.sql("INSERT INTO campaign (name) VALUES ('a')")
        let statement = database.named(attempt)
        // A session of a superuser, which the role must not terminate.
        let (app, root) = (database.directConfiguration(user: database.app), database.directConfiguration())
        try Loop.run {
            let keeper = try await Connection.open(root)
            defer { keeper.close() }
            let connection = try await Connection.open(app)
            defer { connection.close() }
            do {
                try await connection.script(statement)
                Issue.record("it was done")
            } catch let error as PostgresError {
                #expect(error.state == "42501", "\(error)")
            }
        }
    }
}

extension TestDatabase {
    /// Replaces the placeholders with the names of the roles and of the database.
    fileprivate func named(_ text: String) -> String {
        text.replacing("{app}", with: app).replacing("{owner}", with: owner).replacing("{db}", with: name)
    }
}
