import Foundation
import TestSupport
import Testing

/// The whole service with a serving role, and another role that owns the schema.
@Suite struct RolesTests {
    /// Starts a stack with both roles, whose master migrates on start.
    private func stack(_ environment: [String: String] = [:], options: [String] = []) throws -> Stack {
        let roles = try TestDatabase()
        try roles.makeRoles()
        let variables = roles.environmentOfRoles.merging(["MIGRATE_ON_START": "1"]) { $1 }.merging(environment) { $1 }
        let stack = try Stack(
            environment: variables, isMigrated: false, database: roles, master: ["--workers", "1"] + options)
        try waitUntil("a worker is ready: \(stack.worker.log)") { stack.events("a worker is ready").count == 1 }
        return stack
    }

    private func aktify(_ arguments: [String], _ environment: [String: String]) throws -> (
        status: Int32, output: String
    ) {
        try runToEnd([Stack.program] + arguments, environment: environment)
    }

    @Test func `the master migrates as the owner, and the workers serve as the other role`() throws {
        let stack = try stack()
        let database = stack.database
        #expect(try stack.post(#"{"name":"a"}"#).status == 201)
        #expect(try stack.get("/readyz").status == 200 && stack.get("/campaigns/1/history").body.contains("insert"))
        #expect(
            try database.sql(
                "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'aktify %'"
            )
                == database.app)
        #expect(try database.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'campaign'") == database.owner)
        let verified = try aktify(["db", "verify-rights"], database.environmentOfRoles)
        #expect(
            verified.status == 0 && verified.output.hasPrefix("The role has exactly the privileges"),
            "\(verified.output)")
    }

    @Test func `a worker has no credentials of the owner`() throws {
        let stack = try stack()
        func environment(_ pid: pid_t) throws -> String {
            String(decoding: try Data(contentsOf: URL(filePath: "/proc/\(pid)/environ")), as: UTF8.self)
        }
        #expect(try environment(stack.worker.pid).contains("POSTGRES_OWNER_PASSWORD=s3cret"))
        let workers = try stack.workers()
        #expect(workers.count == 1)
        for pid in workers {
            let variables = try environment(pid)
            #expect(variables.contains("POSTGRES_USER=\(stack.database.app)"))
            #expect(!variables.contains("OWNER") && !variables.contains("s3cret"))
        }
    }

    @Test func `a worker without a master keeps its socket when it drops the owner's credentials`() throws {
        let database = try TestDatabase()
        try database.makeRoles()
        let variables = database.environmentOfRoles.merging(["MIGRATE_ON_START": "1"]) { $1 }
        let stack = try Stack(loops: 1, listener: true, environment: variables, isMigrated: false, database: database)
        #expect(try stack.post(#"{"name":"a"}"#).status == 201)
        let file = URL(filePath: "/proc/\(stack.worker.pid)/environ")
        #expect(try !String(decoding: Data(contentsOf: file), as: UTF8.self).contains("s3cret"))
    }

    @Test func `a reload applies a new revision as the owner, and its table is usable immediately`() throws {
        let folder = try MigrationFolder()
        let stack = try stack(options: ["--migrations", folder.path])
        // The campaign table is recreated, so that the privileges on it are gone.
        try folder.add(
            "aaaaaaaaaaaa",
            "ALTER TABLE campaign RENAME TO old_campaign;\nCREATE TABLE campaign (LIKE old_campaign INCLUDING ALL);")
        try stack.reload()
        #expect(try stack.database.sql("SELECT version_num FROM alembic_version") == "aaaaaaaaaaaa")
        #expect(
            try stack.database.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'campaign'")
                == stack.database.owner)
        #expect(try stack.get("/campaigns/").status == 200 && stack.get("/readyz").status == 200)
    }

    @Test func `a reload may take longer than the startup timeout to apply a revision`() throws {
        let folder = try MigrationFolder()
        let stack = try stack(options: ["--migrations", folder.path, "--startup-timeout", "1"])
        try folder.add("aaaaaaaaaaaa", "SELECT pg_sleep(3);")
        try stack.reload()
        #expect(try stack.database.sql("SELECT version_num FROM alembic_version") == "aaaaaaaaaaaa")
    }

    @Test func `the commands for keys, samples and plans connect as the owner, with the same variables`() throws {
        let database = try TestDatabase()
        try database.makeRoles()
        let environment = database.environmentOfRoles
        let upgrade = try aktify(["db", "upgrade"], environment)
        #expect(upgrade.status == 0 && upgrade.output.contains("GRANT SELECT ON campaign TO \(database.app)"))
        let folder = try MigrationFolder()
        defer { withExtendedLifetime(folder) {} }
        for (command, said) in [
            (["db", "dump", "--directory", folder.path], "Wrote"), (["db", "upgrade"], "Will assume"),
            (["db", "check"], "No new upgrade operations"),
            (["db", "seed"], "Added 3 campaigns."),
            (["key", "create", "--name", "crm", "--role", "reader"], "aktify_"),
            (["key", "list"], "crm"), (["key", "revoke", "crm"], "crm is revoked."),
            (["explain", "POST", "/campaigns/", #"{"name":"x"}"#], "201"),
            (["db", "grant"], "Nothing to grant or revoke."),
        ] {
            let (status, output) = try aktify(command, environment)
            #expect(status == 0 && output.contains(said), "\(command): \(output)")
            #expect(!output.contains("GRANT"), "\(command): \(output)")
        }
        // Without the owner's variables, they connect as the serving role.
        let served = environment.merging(["POSTGRES_OWNER": "", "POSTGRES_OWNER_PASSWORD": ""]) { $1 }
        let refused = try aktify(["key", "create", "--name", "mine", "--role", "admin"], served)
        #expect(
            refused.status == 1 && refused.output.contains("permission denied for table api_key"), "\(refused.output)")
    }

    @Test func `grant grants and revokes, and verify-rights exits with 1 for each difference`() throws {
        let database = try TestDatabase()
        try database.makeRoles()
        let environment = database.environmentOfRoles
        try run([Stack.program, "db", "upgrade"], environment: environment)
        try database.sql(
            "GRANT DELETE ON change_record TO \(database.app); REVOKE SELECT ON campaign FROM \(database.app)")
        let lines = [
            "\(database.app) has DELETE ON change_record: REVOKE DELETE ON change_record FROM \(database.app);",
            "\(database.app) lacks SELECT ON campaign: GRANT SELECT ON campaign TO \(database.app);",
        ]
        let found = try aktify(["db", "verify-rights"], environment)
        #expect(found.status == 1 && found.output == lines.joined(separator: "\n") + "\n")
        let granted = try aktify(["db", "grant"], environment)
        #expect(
            granted.status == 0
                && granted.output
                    == "REVOKE DELETE ON change_record FROM \(database.app);\nGRANT SELECT ON campaign TO \(database.app);\n"
        )
        #expect(try aktify(["db", "verify-rights"], environment).status == 0)
        try database.sql("ALTER ROLE \(database.app) CREATEDB")
        let left = try aktify(["db", "grant"], environment)
        #expect(left.status == 1 && left.output.contains("ALTER ROLE \(database.app) NOCREATEDB;"))
        try database.sql("ALTER ROLE \(database.app) NOCREATEDB")
    }

    @Test func `a database with one role keeps working, and the script converts it to two roles`() throws {
        let stack = try Stack(workers: 1, environment: ["MIGRATE_ON_START": "1"])
        let database = stack.database
        let alone = try aktify(["db", "verify-rights"], database.environment)
        #expect(alone.status == 1 && alone.output.contains("postgres has SUPERUSER: ALTER ROLE postgres NOSUPERUSER;"))
        try database.makeRoles()
        #expect(try stack.post(#"{"name":"a"}"#).status == 201)
        try run([Stack.program, "db", "upgrade"], environment: database.environmentOfRoles)
        let verified = try aktify(["db", "verify-rights"], database.environmentOfRoles)
        #expect(verified.status == 0, "\(verified.output)")
        #expect(
            try database.sql("SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname = 'public'")
                == database.owner)
        #expect(try stack.post(#"{"name":"b"}"#).status == 201)
    }
}
