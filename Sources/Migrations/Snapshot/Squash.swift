import Postgres
import SQL

/// A revision that replaces several earlier ones.
public struct Baseline: Sendable {
    /// The new revision, which has the id of the last replaced revision.
    let revision: NewRevision
    /// The contents of the revision file.
    public var text: String { revision.text }
    /// The replaced files that have a verify or fixtures section. The baseline does not contain these sections.
    public var filesWithVerification: [String] {
        replaced.filter { !$0.verification.statements.isEmpty || !$0.fixtures.statements.isEmpty }.map(\.file)
    }
    /// The replaced revisions, in order.
    public let replaced: [Revision]
}

/// Squashes a revision and its ancestors into a baseline, and verifies that the baseline creates the same schema and
/// rows.
public struct Squash: Sendable {
    private let graph: RevisionGraph
    private let last: Revision
    private let closure: Set<String>
    private let configuration: PostgresConfiguration

    /// Prepares to squash a revision and its ancestors.
    /// - Parameters:
    ///   - graph: all revisions.
    ///   - id: the last revision to squash.
    ///   - configuration: a database on the server on which scratch databases are created.
    /// - Throws: `RevisionGraph.GraphError` if the revision does not exist or has no ancestors, or if another branch
    ///   starts at one of its ancestors.
    public init(_ graph: RevisionGraph, upTo id: String, configuration: PostgresConfiguration) throws(RevisionGraph
        .GraphError)
    {
        (self.graph, self.configuration) = (graph, configuration)
        last = try graph.revision(id)
        closure = try graph.closure(of: [id])
        guard closure.count > 1 else {
            throw .init(description: "\(id) has no ancestors: there is nothing to squash")
        }
        for revision in graph.revisions where !closure.contains(revision.id) {
            if let parent = revision.parents.first(where: { $0 != id && closure.contains($0) }) {
                throw .init(
                    description:
                        "\(revision.file) revises \(parent), which would be squashed into \(id): merge the branches "
                        + "first, and squash up to the merge")
            }
        }
    }

    private var replaced: [Revision] { graph.revisions.filter { closure.contains($0.id) } }

    /// Creates the baseline, and verifies its upgrade and downgrade in scratch databases.
    /// - Throws: `MigrationFailed` if the revisions cannot be squashed, or if the baseline does not create the same
    ///   schema and rows; `PostgresError`, `CancellationError`.
    public func baseline() async throws -> Baseline {
        try refuseServerWide()
        let old = try await trial(of: graph)
        if !old.snapshot.rows.isEmpty {
            let second = try await trial(of: graph)
            if let name = old.snapshot.difference(inRowsOf: second.snapshot) {
                throw MigrationFailed(
                    "the rows of \(name) differ from run to run: they cannot be inserted by a baseline")
            }
        }
        let revision = try withFindingsSuppressed(old)
        let parsed = try Revision(parsing: revision.text, file: "versions/\(revision.fileName)")
        if let problem = parsed.problem { throw problem }
        let new = try await trial(of: try RevisionGraph([parsed]), isUndone: true)
        if let difference = new.inventory.difference(from: old.inventory) {
            throw MigrationFailed("the baseline creates a different schema: \(difference)")
        }
        if let difference = SchemaFile.difference(of: new.snapshot.script, from: old.snapshot.script) {
            throw MigrationFailed("the baseline creates a different schema:\n\(difference)")
        }
        return Baseline(revision: revision, replaced: replaced)
    }

    /// Throws if a statement of a squashed revision affects the whole server, which a comparison of databases cannot
    /// detect.
    private func refuseServerWide() throws {
        for revision in replaced {
            guard let statement = revision.upgrade.statements.first(where: \.isServerWide) else { continue }
            throw MigrationFailed(
                "\(revision.file):\(statement.line): it affects the whole server, not only a schema: this cannot be "
                    + "squashed"
            )
        }
    }

    // MARK: Scratch databases

    /// The result of an upgrade in a scratch database.
    private struct Outcome: Sendable {
        let snapshot: Snapshot
        let inventory: Inventory
        /// The checksum of the last revision's file.
        let checksum: String
    }

    /// Upgrades an empty scratch database to the last revision, and reads its schema and rows.
    /// - Parameters:
    ///   - graph: the revisions.
    ///   - isUndone: whether to downgrade the database afterwards, which must leave it empty.
    private func trial(of graph: RevisionGraph, isUndone: Bool = false) async throws -> Outcome {
        try await ScratchDatabase.with(configuration) { scratch in
            let migrator = Migrator(graph: graph, configuration: scratch, options: .trial) { _ in }
            let empty = try await Inventory(reading: scratch)
            try await migrator.upgrade(to: last.id)
            let outcome = Outcome(
                snapshot: try await Snapshot(reading: scratch, readsRows: true),
                inventory: try await Inventory(reading: scratch),
                checksum: try await checksum(scratch))
            if isUndone {
                try await migrator.downgrade(to: "base")
                if let difference = try await Inventory(reading: scratch).difference(from: empty) {
                    throw MigrationFailed("the baseline's downgrade does not revert its upgrade: \(difference)")
                }
            }
            return outcome
        }
    }

    private func checksum(_ scratch: PostgresConfiguration) async throws -> String {
        let connection = try await Connection.open(scratch)
        defer { connection.close() }
        return try await connection.rows(
            "SELECT ARRAY[encode(sha256(convert_to(\(last.checksumText), 'UTF8')), 'hex')]")[0][0]
    }

    // MARK: Writing

    /// Returns the baseline with the given upgrade statements.
    private func baselineRevision(_ upgrade: [String], _ outcome: Outcome) -> NewRevision {
        let removed = replaced.filter { $0.id != last.id }
        var replacement = Replacement(
            ids: replaced.flatMap(\.replacement.ids) + removed.map(\.id), checksum: outcome.checksum)
        replacement.breaking = replaced.breakingReasons.filter { $0.key != last.id && !$0.value.isEmpty }
        var new = NewRevision(
            message: "Baseline", id: last.id, parents: [], upgrade: NewRevision.section(upgrade),
            downgrade: NewRevision.section(outcome.snapshot.removal), breaking: last.upgrade.breaking)
        new.replacement = replacement
        new.created = last.created
        return new
    }

    /// Returns the baseline with all lint findings suppressed, since it reproduces an existing schema.
    private func withFindingsSuppressed(_ outcome: Outcome) throws -> NewRevision {
        var statements = outcome.snapshot.creation
        let draft = try Revision(parsing: baselineRevision(statements, outcome).text, file: "versions/\(last.id).sql")
        let parsed = draft.upgrade.statements
        guard parsed.count == statements.count else {
            throw MigrationFailed("the baseline's statements cannot be separated")
        }
        for finding in Lint.findings(in: draft) {
            guard let index = parsed.firstIndex(where: { $0.line == finding.line }) else { continue }
            statements[index] = "-- lint: allow \(finding.rule) as in the squashed revisions\n" + statements[index]
        }
        return baselineRevision(statements, outcome)
    }
}

extension NewRevision {
    /// Returns the text of a section that consists of the given statements.
    fileprivate static func section(_ statements: [String]) -> String {
        statements.map { $0 + ";" }.joined(separator: "\n\n")
    }
}

extension Snapshot {
    /// Returns the name of the first table with different rows, or sequence with a different value, in the other
    /// snapshot; `nil` if there is none.
    fileprivate func difference(inRowsOf other: Snapshot) -> String? {
        let (own, others) = (rows, other.rows)
        return Set(own.keys).union(others.keys).sorted().first { own[$0] != others[$0] }
    }
}
