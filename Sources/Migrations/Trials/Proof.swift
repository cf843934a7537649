import Postgres
import SQL

/// Tries a generated revision in a scratch database, before anybody gets it.
public struct Proof: Sendable {
    private let graph: RevisionGraph
    private let metadata: Metadata
    private let configuration: PostgresConfiguration

    /// Makes a proof of what is generated for the configured database.
    /// - Parameter graph: the revisions that there are.
    public init(graph: RevisionGraph, metadata: Metadata, configuration: PostgresConfiguration) {
        (self.graph, self.metadata, self.configuration) = (graph, metadata, configuration)
    }

    /// Why a revision does not make of what the database holds what the models say, or does not undo it; `nil` when it does both.
    /// - Throws: `MigrationFailed` and `PostgresError` when it cannot be tried, `CancellationError`.
    public func problem(with revision: Revision) async throws -> String? {
        try await Replica(graph: graph, configuration: configuration, targets: ["heads"]).with { scratch in
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
        let left = try await Differences.changes(from: scratch, to: metadata)
        guard left.isEmpty else {
            return "its upgrade does not end at the models: \(left.summaries.joined(separator: "; "))"
        }
        if let failure = try await MigrationFailed.caught({ try await migrator.downgrade(to: "-1") }) {
            return "its downgrade fails: \(failure)"
        }
        let after = try await Catalog(reading: scratch)
        guard after.unordered != before.unordered else { return nil }
        let lost = Differences(actual: after, wanted: before).changes.summaries
        return "its downgrade does not undo its upgrade: \(lost.joined(separator: "; "))"
    }
}

extension Connection {
    /// Runs a section's statements one by one, each a transaction of its own.
    /// - Throws: `PostgresError`.
    func statements(_ section: String) async throws {
        for (sql, _) in SQLScript.statements(of: section) { try await script(sql) }
    }
}
