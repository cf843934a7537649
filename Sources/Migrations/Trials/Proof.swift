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
        let actual = try await Catalog(reading: configuration)
        return try await ScratchDatabase.with(configuration) { scratch in
            try await prepare(scratch, actual)
            return try await problem(with: revision, in: scratch)
        }
    }

    // MARK: The present

    /// Makes what is there: by the revisions, as far as they can be applied to an empty database, and the rest by what the catalog
    /// says.
    private func prepare(_ scratch: PostgresConfiguration, _ actual: Catalog) async throws {
        let migrator = migrator(scratch, graph)
        let failed = try await failure { try await migrator.upgrade(to: "heads") }
        try await migrator.stamp("heads")
        let rest = try await failure { try await change(scratch, to: actual) }
        if let rest { throw failed ?? rest }
    }

    private func change(_ scratch: PostgresConfiguration, to actual: Catalog) async throws {
        let made = try await Catalog(reading: scratch)
        let extensions = try await extensions()
        let connection = try await Connection.open(scratch)
        defer { connection.close() }
        do {
            for name in extensions { try await connection.script("CREATE EXTENSION IF NOT EXISTS \(name)") }
            try await connection.statements(Differences(actual: made, wanted: actual).changes.sections.upgrade)
        } catch let error as PostgresError {
            throw MigrationFailed("what the database holds cannot be made in another: \(error)")
        }
        let left = Differences(actual: try await Catalog(reading: connection), wanted: actual).changes
        guard left.isEmpty else {
            throw MigrationFailed(
                "what the database holds cannot be made in another: \(left.summaries.joined(separator: "; "))")
        }
    }

    /// The extensions that the database has.
    private func extensions() async throws -> [String] {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        return try await connection.rows("SELECT ARRAY[quote_ident(extname)] FROM pg_extension ORDER BY oid").map {
            $0[0]
        }
    }

    private func migrator(_ scratch: PostgresConfiguration, _ graph: RevisionGraph) -> Migrator {
        var options = Migrator.Options()
        options.allowsDataLoss = true
        return Migrator(graph: graph, configuration: scratch, options: options) { _ in }
    }

    // MARK: The revision

    private func problem(with revision: Revision, in scratch: PostgresConfiguration) async throws -> String? {
        let migrator = migrator(scratch, try RevisionGraph(graph.revisions + [revision]))
        let before = try await Catalog(reading: scratch)
        if let failure = try await failure({ try await migrator.upgrade(to: revision.id) }) {
            return "its upgrade fails: \(failure)"
        }
        let left = try await Differences.changes(from: scratch, to: metadata)
        guard left.isEmpty else {
            return "its upgrade does not end at the models: \(left.summaries.joined(separator: "; "))"
        }
        if let failure = try await failure({ try await migrator.downgrade(to: "-1") }) {
            return "its downgrade fails: \(failure)"
        }
        let after = try await Catalog(reading: scratch)
        guard after.unordered != before.unordered else { return nil }
        let lost = Differences(actual: after, wanted: before).changes.summaries
        return "its downgrade does not undo its upgrade: \(lost.joined(separator: "; "))"
    }

    private func failure(_ body: () async throws -> Void) async throws -> MigrationFailed? {
        do { try await body() } catch let error as MigrationFailed {
            try Task.checkCancellation()
            return error
        }
        return nil
    }
}

extension Connection {
    /// Runs a section's statements one by one, each a transaction of its own.
    /// - Throws: `PostgresError`.
    func statements(_ section: String) async throws {
        for (sql, _) in SQLScript.statements(of: section) { try await script(sql) }
    }
}
