import EventLoop
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// What `aktify db dump` writes makes the same schema.
@Suite struct SchemaFileTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    /// The script of a database that `sql` has made, which has been proved.
    private func text(_ sql: String) throws -> String {
        try database.sql(sql)
        let configuration = database.directConfiguration()
        return try Loop.run { try await SchemaFile.provenText(of: configuration) }
    }

    /// What a script says behind its first line.
    private func statements(_ sql: String) throws -> String {
        String(try text(sql).split(separator: "\n\n", maxSplits: 1)[1])
    }

    /// Makes the schema of `text` in another database by psql, and compares both.
    private func expectSame(_ text: String) throws {
        let (folder, other) = (try Folder(), try TestDatabase())
        try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/schema.sql"))
        let (status, output) = try runToEnd(
            ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", "\(folder.path)/schema.sql"],
            environment: other.psqlEnvironment)
        #expect(status == 0, "\(output)")
        #expect(try other.inventory() == database.inventory())
        #expect(try other.schemaDump() == database.schemaDump())
        let configuration = other.directConfiguration()
        #expect(try Loop.run { try await SchemaFile.text(of: configuration) } == text)
    }

    @Test func `the schema of all features is made again, but for what is named`() throws {
        let graph = try ScriptDirectory("\(checkout)/Tests/FeatureTests/Corpus").graph()
        var options = Migrator.Options()
        options.allowsDataLoss = true
        let migrator = Migrator(graph: graph, configuration: database.directConfiguration(), options: options) { _ in }
        try Loop.run { try await migrator.upgrade() }
        let error = #expect(throws: MigrationFailed.self) { try text("SELECT 1") }
        #expect(
            error?.description == "the schema has what cannot be written: function public.product(integer), "
                + "operator public.<+>(integer,integer), text search configuration public.own")
        try expectSame(
            text("DROP AGGREGATE product(int); DROP OPERATOR <+> (int, int); DROP TEXT SEARCH CONFIGURATION own"))
    }
}

extension TestDatabase {
    func inventory() throws -> Inventory {
        let configuration = directConfiguration()
        return try Loop.run { try await Inventory(reading: configuration) }
    }

    /// What pg_dump says of all but the rows; not in its order, which is that of the oids where nothing else tells.
    fileprivate func schemaDump() throws -> [String] {
        let (status, output) = try runToEnd(
            ["pg_dump", "-s", "-T", "alembic_version", "-T", "migration_*"], environment: psqlEnvironment)
        guard status == 0 else { throw CommandFailed(description: output) }
        return output.split(separator: "\n").map { String($0.drop { $0 == " " }.trimmingSuffix { $0 == "," }) }
            .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }.sorted()
    }
}

extension Substring {
    fileprivate func trimmingSuffix(_ condition: (Character) -> Bool) -> Substring {
        self[..<(lastIndex { !condition($0) }.map(index(after:)) ?? startIndex)]
    }
}
