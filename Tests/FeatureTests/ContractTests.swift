import EventLoop
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// Expand and contract: a contract revision, which drops what older programs need, is refused while such a program is
/// connected.
@Suite struct ContractTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private static let revisions: [(up: String, down: String)] = [
        ("CREATE TABLE one (n int, old int);", ""), ("ALTER TABLE one ADD new int;", ""),
        ("-- contract of a2\nALTER TABLE one DROP old;", "ALTER TABLE one ADD old int;"),
    ]

    private func connect(as name: String) throws -> Connection {
        var configuration = database.directConfiguration()
        configuration.applicationName = name
        return try Loop.run { [configuration] in try await Connection.open(configuration) }
    }

    @Test(arguments: ["aktify", "aktify 1.3.0 (a1)", "aktify 2.0.0 (x9)"])
    func `a contract is refused while programs are connected that do not know the revision it completes`(name: String)
        throws
    {
        let old = try connect(as: name)
        defer { old.close() }
        let said = try database.migrate(Self.revisions)
        #expect(
            said?.hasPrefix("a3 is the contract of a2, and programs are connected that do not know a2: \(name) (pid ")
                == true, "\(said ?? "")")
        #expect(try database.sql("SELECT to_regclass('one') IS NULL") == "t")
        #expect(try database.migrate(Self.revisions) { try await $0.upgrade(to: "a2") } == nil)
    }

    @Test func `a plan lists the programs because of which the upgrade would be refused`() throws {
        let old = try connect(as: "aktify 1.3.0 (a1)")
        defer { old.close() }
        let graph = try RevisionGraph(
            Self.revisions.enumerated().map { place, section in
                try revision("a\(place + 1)", place == 0 ? "" : "a\(place)", section.up)
            })
        let configuration = database.directConfiguration()
        let plan = try Loop.run { try await Planner(graph: graph, configuration: configuration).plan() }
        #expect(plan.revisions.map { $0.obstacle == nil } == [true, true, false])
        #expect(plan.text.contains("would be refused now: a3 is the contract of a2, and programs are connected"))
    }

    @Test func `programs that know the revision, and unrelated sessions, do not block the contract`() throws {
        let connections = try ["aktify 1.4.0 (a2)", "aktify 1.5.0 (a3)", "psql", "aktify db", ""].map(connect)
        defer { for connection in connections { connection.close() } }
        #expect(try database.migrate(Self.revisions) == nil)
    }

    @Test func `after a contract, programs that do not know the revision it completes are not ready`() throws {
        #expect(try database.migrate(Self.revisions) == nil)
        let rows = "SELECT string_agg(revision || ':' || breaking, ',' ORDER BY revision) FROM migration_revision"
        #expect(try database.sql(rows) == "a1:,a2:a3 is its contract,a3:")
        #expect(try database.migrate(Self.revisions) { try await $0.downgrade() } == nil)
        #expect(try database.sql(rows) == "a1:,a2:")
    }

    @Test func `the contract of a revision that was squashed is the contract of its baseline`() throws {
        let baseline = "-- x\n-- Revision ID: a2\n-- Revises:\n-- Replaces: a1\n-- upgrade\nSELECT 1;\n-- downgrade\n"
        let graph = try RevisionGraph([
            try Revision(parsing: baseline, file: "versions/a2.sql"),
            try revision("a3", "a2", "-- contract of a1\nSELECT 1;"),
        ])
        let configuration = database.directConfiguration()
        let upgrade = {
            try Loop.run { try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade() }
        }
        let old = try connect(as: "aktify 1.3.0 (a1)")
        #expect(throws: MigrationFailed.self, performing: upgrade)
        old.close()
        try upgrade()
        let rows = "SELECT string_agg(revision || ':' || breaking, ',' ORDER BY revision) FROM migration_revision"
        #expect(try database.sql(rows) == "a1:a3 is its contract,a2:,a3:")
    }

    @Test func `a contract of a revision that is not its ancestor is refused`() throws {
        for id in ["a2", "x9"] {
            let said = try database.migrate([("SELECT 1;", ""), ("-- contract of \(id)\nSELECT 1;", "")])
            #expect(said?.contains("it is the contract of \(id), which is not one of its ancestors") == true)
        }
    }
}
