import Postgres
import SQL

/// Verifies a generated revision in a scratch database before it is written.
public struct Proof: Sendable {
    private let graph: RevisionGraph
    private let metadata: Metadata
    private let configuration: PostgresConfiguration

    /// Prepares to verify a revision that was generated for the configured database.
    /// - Parameters:
    ///   - graph: the existing revisions.
    ///   - metadata: the models' tables.
    ///   - configuration: the database.
    public init(graph: RevisionGraph, metadata: Metadata, configuration: PostgresConfiguration) {
        (self.graph, self.metadata, self.configuration) = (graph, metadata, configuration)
    }

    /// Returns why the revision's upgrade does not lead to the schema of the models, or why its downgrade does not
    /// revert the upgrade; `nil` if both succeed.
    /// - Throws: `MigrationFailed` and `PostgresError` if the revision cannot be verified, `CancellationError`.
    public func problem(with revision: Revision) async throws -> String? {
        try await SchemaCopy(graph: graph, configuration: configuration, targets: ["heads"]).with { scratch in
            try await migrator(scratch, graph).stamp("heads")
            return try await problem(with: revision, in: scratch)
        }
    }

    private func migrator(_ scratch: PostgresConfiguration, _ graph: RevisionGraph) -> Migrator {
        Migrator(graph: graph, configuration: scratch, options: .trial) { _ in }
    }

    // MARK: The revision

    private func problem(with revision: Revision, in scratch: PostgresConfiguration) async throws -> String? {
        let migrator = migrator(scratch, try RevisionGraph(graph.revisions + [revision]))
        let before = try await Catalog(reading: scratch)
        if let failure = try await MigrationFailed.caught({ try await migrator.upgrade(to: revision.id) }) {
            return "its upgrade fails: \(failure)"
        }
        let remaining = try await Differences.changes(from: scratch, to: metadata)
        guard remaining.isEmpty else {
            return "its upgrade does not lead to the models: \(remaining.summaries.joined(separator: "; "))"
        }
        if let failure = try await MigrationFailed.caught({ try await migrator.downgrade(to: "-1") }) {
            return "its downgrade fails: \(failure)"
        }
        let after = try await Catalog(reading: scratch)
        guard after.unordered != before.unordered else { return nil }
        let lost = Differences(actual: after, wanted: before).changes.summaries
        return "its downgrade does not revert its upgrade: \(lost.joined(separator: "; "))"
    }
}

extension Connection {
    /// Executes the statements of a section, each in its own transaction.
    /// - Throws: `PostgresError`.
    func statements(_ section: String) async throws {
        for (sql, _) in SQLScript.statements(of: section) { try await script(sql) }
    }
}
