import Foundation
import TestSupport
import Testing

/// The commands that check a schema or revisions: their output, insufficient privileges, and interruption.
@Suite struct SchemaCheckCommandTests {
    private let migrations: MigrationFolder
    private var database: TestDatabase { migrations.database }
    private var folder: Folder { migrations.folder }
    private var head: String { migrations.head }

    init() throws { migrations = try MigrationFolder() }

    private func db(_ arguments: String..., as user: String = "postgres") throws -> (status: Int32, output: String) {
        try migrations.db(arguments, as: user)
    }

    @Test func `check ends with advice about differences`() throws {
        #expect(try db("upgrade").status == 0)
        try database.sql("ALTER TABLE campaign ADD budget integer; ALTER TABLE campaign ADD CHECK (id > 0) NOT VALID")
        let check = try db("check")
        #expect(check.status == 1 && check.output.contains("VALIDATE CONSTRAINT campaign_id_check\n"))
        #expect(check.output.hasSuffix("agree with the models: aktify db migrate -m \"...\"\n"))
    }

    @Test func `check with a read-only role exits with 1 and one line`() throws {
        #expect(try db("upgrade").status == 0)
        let role = "reader_\(UInt32.random(in: 0...UInt32.max))"
        try database.sql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role)")
        let check = try db("check", as: role)
        #expect(check.status == 1 && check.output.split(separator: "\n").count == 1)
        #expect(check.output.contains("GRANT CREATE ON DATABASE \(database.name) TO \(role)"))
    }

    @Test func `nothing is written if a generated revision cannot be tested`() throws {
        #expect(try db("upgrade").status == 0)
        let role = "maker_\(UInt32.random(in: 0...UInt32.max))"
        try database.sql(
            """
            CREATE ROLE \(role) LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role);
            GRANT CREATE ON DATABASE \(database.name) TO \(role); ALTER TABLE campaign ADD budget integer
            """)
        let versions = "\(folder.path)/migrations/versions"
        let before = try FileManager.default.contentsOfDirectory(atPath: versions).count
        let refused = try db("migrate", "-m", "Drop budget", as: role)
        #expect(refused.status == 1 && refused.output.hasSuffix("ALTER ROLE \(role) CREATEDB\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: versions).count == before)
        #expect(try db("migrate", "-m", "Drop budget").status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: versions).count == before + 1)
    }

    @Test func `lint and check show the safe form below each finding`() throws {
        #expect(try db("upgrade").status == 0)
        let text = """
            -- x\n--\n-- Revision ID: aaaa00000001\n-- Revises: \(head)\n
            -- upgrade\nCREATE INDEX i ON campaign (name);\n-- downgrade\nDROP INDEX i;\n
            """
        try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/migrations/versions/aaaa00000001_x.sql"))
        for command in ["lint", "check"] {
            let found = try db(command)
            #expect(found.status == 1 && found.output.contains("aaaa00000001_x.sql:7: index-without-concurrently: "))
            let safe = "\n    -- outside transaction\n    CREATE INDEX CONCURRENTLY i ON campaign (name);\n"
            #expect(found.output.contains(safe), "\(command)")
        }
    }

    @Test func `a revision generated for a table in use is applied and reverted, and has no lint findings`() throws {
        #expect(try db("upgrade").status == 0)
        try database.sql("ALTER TABLE campaign ALTER name DROP NOT NULL; CREATE INDEX odd ON campaign (name)")
        let migrate = try db("migrate", "-m", "x", "--rev-id", "aaaa00000001")
        #expect(migrate.status == 0 && !migrate.output.contains("WARNING"))
        let file = "\(folder.path)/migrations/versions/aaaa00000001_x.sql"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.contains("DROP INDEX CONCURRENTLY odd;") && text.contains("VALIDATE CONSTRAINT name_is_not_null;"))
        #expect(try db("upgrade").status == 0 && db("lint").status == 0 && db("check").status == 0)
        #expect(try db("downgrade").status == 0)
    }

    @Test(arguments: [SIGTERM, SIGINT]) func `an interrupted verify leaves no scratch database`(signal: Int32) throws {
        let marker = "slow_\(UInt32.random(in: 0...UInt32.max))"
        let slow = """
            -- Slow\n--\n-- Revision ID: aaaa00000001\n-- Revises: \(head)\n-- Create Date: 2026-11-23 00:00:00\n
            -- upgrade\nSELECT pg_sleep(20) AS \(marker);\n-- downgrade\n
            """
        try Data(slow.utf8).write(to: URL(filePath: "\(folder.path)/migrations/versions/aaaa00000001_slow.sql"))
        let child = try Child(
            [Stack.program, "db", "verify", "--directory", "\(folder.path)/migrations"],
            environment: database.environment, output: "\(folder.path)/log")
        let sleeper = "FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(20) AS \(marker)%'"
        try waitUntil("it sleeps") { try database.sql("SELECT count(*) \(sleeper)") == "1" }
        let name = try database.sql("SELECT datname \(sleeper)")
        child.signal(signal)
        #expect(child.wait(seconds: 5) == 1)
        #expect(name.hasPrefix("aktify_scratch_"))
        #expect(try database.sql("SELECT count(*) FROM pg_database WHERE datname = '\(name)'") == "0")
    }
}
