import EventLoop
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// Upgrades and downgrades have the same effect online, run by the migrator, and offline, as an SQL script run by psql.
/// Each revision in Corpus/ contains a feature of Postgres's DDL, or a pitfall of its syntax.
@Suite struct MigrationCorpusTests {
    private let graph: RevisionGraph
    private let (online, offline): (TestDatabase, TestDatabase)

    init() throws {
        graph = try ScriptDirectory("\(checkout)/Tests/FeatureTests/Corpus").graph()
        (online, offline) = (try TestDatabase(), try TestDatabase())
    }

    private func migrate(_ body: @escaping @Sendable (Migrator) async throws -> Void) throws {
        var options = Migrator.Options()
        options.allowsDataLoss = true
        let migrator = Migrator(graph: graph, configuration: online.directConfiguration(), options: options) { _ in }
        try Loop.run { try await body(migrator) }
    }

    @Test func `there are at least sixty files`() { #expect(graph.revisions.count >= 60) }

    @Test func `online and offline migrations produce the same schemas, up, down and up again`() throws {
        let last = try #require(graph.revisions.last?.id)
        let empty = try online.dump()
        try migrate { try await $0.upgrade() }
        let whole = try online.dump()
        try offline.psql(OfflineScript(graph).upgrade("head"))
        #expect(try offline.dump() == whole)
        try migrate { try await $0.downgrade(to: "base") }
        #expect(try online.dump() == empty)
        try offline.psql(OfflineScript(graph).downgrade("\(last):base"))
        #expect(try offline.dump() == empty)
        try migrate { try await $0.upgrade() }
        #expect(try online.dump() == whole)
    }

    @Test func `each downgrade reverts its upgrade`() throws {
        var before = try online.dump()
        for revision in graph.revisions {
            try migrate { try await $0.upgrade(to: revision.id) }
            let after = try online.dump()
            try migrate { try await $0.downgrade(to: "-1") }
            #expect(try online.dump() == before, "\(revision.file)")
            try migrate { try await $0.upgrade(to: revision.id) }
            #expect(try online.dump() == after, "\(revision.file)")
            before = after
        }
    }
}

extension TestDatabase {
    var psqlEnvironment: [String: String] {
        ["PGHOST": socketDirectory, "PGDATABASE": name, "PGUSER": "postgres"]
    }

    /// Returns the dump of the database, without the migrator's own tables.
    func dump() throws -> String {
        let (status, output) = try runToEnd(
            ["pg_dump", "-T", "alembic_version", "-T", "migration_*"], environment: psqlEnvironment)
        guard status == 0 else { throw CommandFailed(description: output) }
        // Newer versions of pg_dump write a random key (\restrict).
        return output.split(separator: "\n").filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }
            .joined(separator: "\n")
    }
}
