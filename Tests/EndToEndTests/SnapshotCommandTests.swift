import Foundation
import TestSupport
import Testing

/// The commands `db dump` and `db squash`, as an operator runs them.
@Suite struct SnapshotCommandTests {
    private let migrations: MigrationFolder
    private var database: TestDatabase { migrations.database }
    private var head: String { migrations.head }

    init() throws { migrations = try MigrationFolder() }

    private func db(_ arguments: String...) throws -> (status: Int32, output: String) { try migrations.db(arguments) }

    private func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(migrations.path)/\(folder)").sorted()
    }

    @Test func `check compares the schema that dump has written, and gives advice`() throws {
        let early = try db("dump")
        #expect(early.status == 1 && early.output == "Error: Target database is not up to date: aktify db upgrade\n")
        #expect(try db("upgrade").status == 0)
        let file = "\(migrations.path)/schema.sql"
        #expect(try db("dump").output == "Wrote \(file)\n" && db("check").status == 0)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.contains("\nCREATE TABLE public.campaign (\n    id bigserial NOT NULL,\n"))
        #expect(!text.contains("alembic_version") && !text.contains("migration_"))
        #expect(try db("dump", "--output", "-").output == text)
        try Data(text.replacing("CREATE TABLE public.campaign (", with: "CREATE TABLE public.campaigns (").utf8)
            .write(to: URL(filePath: file))
        let stale = try db("check")
        #expect(stale.status == 1)
        #expect(stale.output.contains("Error: \(file) differs from the database's schema: aktify db dump\n"))
        #expect(
            stale.output.contains(": - CREATE TABLE public.campaigns (\n")
                && stale.output.contains(": + CREATE TABLE public.campaign (\n"))
        #expect(try db("check", "--json").output.contains("differs from the database's schema: aktify db dump"))
        #expect(try db("dump").status == 0 && db("check", "--json").status == 0)
    }

    @Test func `a dump is written through links and pipes, which are kept`() throws {
        #expect(try db("upgrade").status == 0)
        let (pipe, link) = ("\(migrations.folder.path)/pipe", "\(migrations.folder.path)/link")
        try run(["mkfifo", pipe])
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "target")
        let reader = try Child(["cat", pipe], environment: [:], output: "\(migrations.folder.path)/read")
        #expect(try db("dump", "--output", pipe).status == 0 && reader.wait(seconds: 10) == 0)
        #expect(try db("dump", "--output", link).status == 0)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "target")
        let text = try db("dump", "--output", "-").output
        for name in ["read", "target"] {
            #expect(try String(contentsOfFile: "\(migrations.folder.path)/\(name)", encoding: .utf8) == text)
        }
    }

    @Test func `a failed dump writes nothing`() throws {
        #expect(try db("upgrade").status == 0)
        try database.sql("CREATE AGGREGATE product(int) (SFUNC = int4mul, STYPE = int)")
        let refused = try db("dump")
        #expect(refused.status == 1)
        #expect(refused.output == "Error: the schema contains unsupported objects: function public.product(integer)\n")
        #expect(try files("") == ["versions"])
    }

    @Test func `an unprivileged owner can dump and squash its own schema`() throws {
        let role = "service_\(UInt32.random(in: 0...UInt32.max))"
        try database.sql("CREATE ROLE \(role) LOGIN CREATEDB; ALTER DATABASE \(database.name) OWNER TO \(role)")
        for command in [["upgrade"], ["dump"], ["check"], ["squash", "head"], ["check"]] {
            let (status, output) = try migrations.db(command, as: role)
            #expect(status == 0, "\(command): \(output)")
        }
        #expect(try !String(contentsOfFile: "\(migrations.path)/schema.sql", encoding: .utf8).contains(role))
    }

    @Test func `revisions are squashed into one file that all commands accept`() throws {
        #expect(try db("upgrade").status == 0 && db("dump").status == 0)
        let before = try String(contentsOfFile: "\(migrations.path)/schema.sql", encoding: .utf8)
        let squashed = try db("squash", head)
        #expect(squashed.status == 0, "\(squashed.output)")
        #expect(squashed.output.hasSuffix("revisions into \(migrations.path)/versions/\(head)_baseline.sql\n"))
        #expect(try files("versions") == ["\(head)_baseline.sql"])
        #expect(try db("history").output == "<base> -> \(head) (head), Baseline\n")
        #expect(try db("current").output == "\(head) (head)\n" && db("lint").status == 0)
        #expect(try db("check").status == 0 && db("status").status == 0 && db("verify").status == 0)
        #expect(try db("squash", "head").output == "Error: \(head) has no ancestors: there is nothing to squash\n")
        #expect(try db("revision", "-m", "Next", "--rev-id", "aaaa00000001").status == 0 && db("upgrade").status == 0)
        #expect(try db("downgrade", "base").status == 0 && db("current").output == "")
        #expect(try db("upgrade").status == 0 && db("dump").status == 0)
        #expect(try String(contentsOfFile: "\(migrations.path)/schema.sql", encoding: .utf8) == before)
        #expect(
            try db("upgrade", "--sql").output.contains("INSERT INTO alembic_version (version_num) VALUES ('\(head)')"))
        try database.sql("UPDATE alembic_version SET version_num = '6c369edd2a4c'")
        let words = "Error: the database is at 6c369edd2a4c, which was squashed into \(head): "
        for command in ["upgrade", "current", "check", "status"] {
            let (status, output) = try db(command)
            #expect(status == 1 && output.contains(words), "\(command): \(output)")
        }
    }

    @Test func `a squash lists the files whose verifications and fixtures are left out`() throws {
        try migrations.add("aaaa00000001", after: head, "SELECT 1;")
        try migrations.add("aaaa00000002", after: "aaaa00000001", "SELECT 1;", more: "-- verify\nSELECT true;")
        let squashed = try db("squash", "head")
        let lines = squashed.output.split(separator: "\n").filter {
            $0.hasPrefix("  Left out -- verify and -- fixtures of ")
        }
        #expect(squashed.status == 0 && lines.count == 1, "\(squashed.output)")
        #expect(lines.first?.contains("aaaa00000002_add_it.sql") == true)
        #expect(lines.first?.contains("aaaa00000001_add_it.sql") == false)
    }
}
