import Postgres
import SQL

/// One file in the place of several.
public struct Baseline: Sendable {
    /// What it says; its id is that of the last one that it replaces.
    let revision: NewRevision
    /// The file's text.
    public var text: String { revision.text }
    /// The files whose `-- verify` and `-- fixtures` go with them.
    public var filesWithTrials: [String] {
        replaced.filter { !$0.verification.statements.isEmpty || !$0.fixtures.statements.isEmpty }.map(\.file)
    }
    /// The revisions whose files it replaces, in order.
    public let replaced: [Revision]
}

/// Makes one revision of all up to some revision, and proves that it makes the same.
public struct Squash: Sendable {
    private let graph: RevisionGraph
    private let last: Revision
    private let closure: Set<String>
    private let configuration: PostgresConfiguration

    /// Makes a squash of a revision and all that it builds on.
    /// - Parameter configuration: names the server on which it is tried.
    /// - Throws: `RevisionGraph.Broken` when there is no such revision, or nothing to squash, or another branch hangs on what would go.
    public init(_ graph: RevisionGraph, upTo id: String, configuration: PostgresConfiguration) throws(RevisionGraph
        .Broken)
    {
        (self.graph, self.configuration) = (graph, configuration)
        last = try graph.revision(id)
        closure = try graph.closure(of: [id])
        guard closure.count > 1 else {
            throw .init(description: "\(id) builds on no other: there is nothing to squash")
        }
        for revision in graph.revisions where !closure.contains(revision.id) {
            if let parent = revision.parents.first(where: { $0 != id && closure.contains($0) }) {
                throw .init(
                    description:
                        "\(revision.file) builds on \(parent), which would be squashed into \(id): merge the branches "
                        + "first, and squash up to the merge")
            }
        }
    }

    private var replaced: [Revision] { graph.revisions.filter { closure.contains($0.id) } }

    /// Tries it in scratch databases: the revisions, and the baseline up and down.
    /// - Throws: `MigrationFailed` when the baseline does not make the same schema and rows, or cannot be written;
    ///   `PostgresError`, `CancellationError`.
    public func baseline() async throws -> Baseline {
        try refuseServerWide()
        let old = try await trial(of: graph)
        if !old.snapshot.rows.isEmpty {
            let again = try await trial(of: graph)
            if let name = old.snapshot.difference(inRowsOf: again.snapshot) {
                throw MigrationFailed(
                    "the rows of \(name) are others each time: they cannot be written into a revision")
            }
        }
        let revision = try waived(old)
        let parsed = try Revision(parsing: revision.text, file: "versions/\(revision.fileName)")
        if let problem = parsed.problem { throw problem }
        let new = try await trial(of: try RevisionGraph([parsed]), isUndone: true)
        if let difference = new.inventory.difference(from: old.inventory) {
            throw MigrationFailed("the baseline makes something else: \(difference)")
        }
        if let difference = SchemaFile.difference(of: new.snapshot.script, from: old.snapshot.script) {
            throw MigrationFailed("the baseline makes something else:\n\(difference)")
        }
        return Baseline(revision: revision, replaced: replaced)
    }

    /// What is no database's own is in no catalog that is compared.
    private func refuseServerWide() throws {
        for revision in replaced {
            guard let statement = revision.upgrade.statements.first(where: \.isServerWide) else { continue }
            throw MigrationFailed(
                "\(revision.file):\(statement.line): roles, databases and settings are not a schema's: this cannot be squashed"
            )
        }
    }

    // MARK: Trying

    private struct Outcome: Sendable {
        let snapshot: Snapshot
        let inventory: Inventory
        /// The checksum of the last revision's file.
        let checksum: String
    }

    /// Upgrades an empty database to the last revision, and looks what is there then.
    /// - Parameter isUndone: whether it is downgraded again, after which nothing may be there.
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
                    throw MigrationFailed("the baseline's downgrade does not undo it: \(difference)")
                }
            }
            return outcome
        }
    }

    private func checksum(_ scratch: PostgresConfiguration) async throws -> String {
        let connection = try await Connection.open(scratch)
        defer { connection.close() }
        return try await connection.rows(
            "SELECT ARRAY[encode(sha256(convert_to(\(last.textThatRuns), 'UTF8')), 'hex')]")[0][0]
    }

    // MARK: Writing

    private func written(_ upgrade: [String], _ outcome: Outcome) -> NewRevision {
        let gone = replaced.filter { $0.id != last.id }
        var replacement = Replacement(
            ids: replaced.flatMap(\.replacement.ids) + gone.map(\.id), checksum: outcome.checksum)
        replacement.breaking = replaced.reasonsOfBreaking.filter { $0.key != last.id && !$0.value.isEmpty }
        var new = NewRevision(
            message: "Baseline", id: last.id, parents: [], upgrade: NewRevision.section(upgrade),
            downgrade: NewRevision.section(outcome.snapshot.removal), breaking: last.upgrade.breaking)
        new.replacement = replacement
        new.created = last.created
        return new
    }

    /// The revision, with what lint finds in it waived: it makes what was there before.
    private func waived(_ outcome: Outcome) throws -> NewRevision {
        var statements = outcome.snapshot.creation
        let draft = try Revision(parsing: written(statements, outcome).text, file: "versions/\(last.id).sql")
        let parsed = draft.upgrade.statements
        guard parsed.count == statements.count else {
            throw MigrationFailed("the baseline's statements cannot be told apart")
        }
        for finding in Lint.findings(in: draft) {
            guard let place = parsed.firstIndex(where: { $0.line == finding.line }) else { continue }
            statements[place] = "-- lint: allow \(finding.rule) the squashed revisions made it so\n" + statements[place]
        }
        return written(statements, outcome)
    }
}

extension NewRevision {
    /// Statements as a section.
    fileprivate static func section(_ statements: [String]) -> String {
        statements.map { $0 + ";" }.joined(separator: "\n\n")
    }
}

extension Snapshot {
    /// The first table or sequence that has other rows or another number than in another one; `nil` when none has.
    fileprivate func difference(inRowsOf other: Snapshot) -> String? {
        let (own, others) = (rows, other.rows)
        return Set(own.keys).union(others.keys).sorted().first { own[$0] != others[$0] }
    }
}
