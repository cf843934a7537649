import Foundation
import TestSupport
import Testing

/// `aktify db plan`, as an operator or a CI job runs it.
@Suite struct PlanCommandTests {
    private let migrations: MigrationFolder

    init() throws {
        migrations = try MigrationFolder()
        #expect(try db("upgrade").status == 0)
    }

    private func db(_ arguments: String..., user: String = "postgres") throws -> (status: Int32, output: String) {
        try migrations.db(arguments, as: user)
    }

    /// Adds a revision after the head.
    private func add(_ sql: String) throws {
        let text = """
            -- Widen budget\n--\n-- Revision ID: aaaa00000001\n-- Revises: \(migrations.head)\n-- upgrade\n\(sql)\n-- \
            downgrade\n
            """
        try Data(text.utf8).write(to: URL(filePath: "\(migrations.path)/versions/aaaa00000001_x.sql"))
    }

    @Test func `without pending revisions the plan is empty`() throws {
        #expect(try db("plan") == (0, "Nothing is pending.\n"))
        #expect(try db("plan", "--markdown") == (0, "Nothing is pending.\n"))
        #expect(
            try db("plan", "--json")
                == (
                    0,
                    #"{"doubt":null,"problem":null,"revisions":[],"sizes":[],"summary":"Nothing is pending."}"# + "\n"
                ))
    }

    @Test func `a plan is printed as text, Markdown and JSON, and changes nothing`() throws {
        try migrations.database.sql("INSERT INTO campaign (name) VALUES ('One'); ANALYZE")
        try add("ALTER TABLE campaign ADD planned float DEFAULT random();\nALTER TABLE campaign DROP description;")
        let text = try db("plan")
        #expect(text.status == 0)
        #expect(text.output.contains("\n  6: ALTER TABLE campaign ADD planned float DEFAULT random()\n"))
        #expect(text.output.contains("about 1 rows)"))
        #expect(
            text.output.contains("     rewrites public.campaign\n     takes less than 1 s, estimated from the size\n"))
        #expect(text.output.contains("     lint: volatile-default: "))
        #expect(text.output.contains("  holds ACCESS EXCLUSIVE on public.campaign until the end of its transaction"))
        #expect(try db("plan", "--markdown").output.contains("\n### `aaaa00000001` Widen budget\n"))
        let json = try db("plan", "head", "--json")
        let plan = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let revision = try #require((plan["revisions"] as? [[String: Any]])?.first)
        let statement = try #require((revision["statements"] as? [[String: Any]])?.first)
        #expect((statement["effects"] as? [[String: String]]) == [["effect": "rewrite", "table": "public.campaign"]])
        #expect(statement["waiting"] as? String == "readers and writers wait" && statement["line"] as? Int == 6)
        #expect((plan["sizes"] as? [[String: Any]])?.contains { $0["name"] as? String == "public.campaign" } == true)
        #expect(try db("current").output == "\(migrations.head)\n" && db("status").status == 3)
        let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'campaign'::regclass AND attname = 'planned'"
        #expect(try migrations.database.sql(columns) == "0")
    }

    @Test func `a statement that fails is exit status 1, and so is a role that may not create databases`() throws {
        try add("ALTER TABLE nobody ADD m int;")
        let failed = try db("plan")
        #expect(failed.status == 1 && failed.output.contains("     fails: 42P01: relation \"nobody\" does not exist\n"))
        let role = "planner_\(UInt32.random(in: 0...UInt32.max))"
        try migrations.database.sql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role)")
        let refused = try db("plan", user: role)
        #expect(refused.status == 1 && refused.output.contains("ALTER ROLE \(role) CREATEDB"))
        #expect(try db("plan", "--json", "--markdown").status == 2)
    }
}
