import Postgres
import SQL

/// Applies, undoes and applies again each revision in a database of its own, whose tables have rows, and looks whether an undo
/// undoes.
public struct Verifier: Sendable {
    private let graph: RevisionGraph
    private let configuration: PostgresConfiguration
    private let log: @Sendable (String) -> Void

    /// Makes a verifier, on the server that the configuration names.
    /// - Parameter log: takes a line for each revision.
    public init(graph: RevisionGraph, configuration: PostgresConfiguration, log: @escaping @Sendable (String) -> Void) {
        (self.graph, self.configuration, self.log) = (graph, configuration, log)
    }

    /// Verifies all revisions.
    /// - Returns: what is wrong, a sentence each.
    /// - Throws: `PostgresError` when no database can be made, `MigrationFailed` when a revision fails, `CancellationError`.
    public func problems() async throws -> [String] {
        try await ScratchDatabase.with(configuration) { try await problems(in: $0) }
    }

    private func problems(in scratch: PostgresConfiguration) async throws -> [String] {
        let trial = RevisionTrial(graph: graph, scratch: scratch)
        var problems: [String] = []
        for revision in graph.revisions {
            try Task.checkCancellation()
            let (found, outcome) = try await trial.problems(with: revision)
            problems += found
            guard let outcome else { return problems }
            log("\(revision.id): \(outcome)")
        }
        return problems
    }
}

/// Tries revisions one after the other in a scratch database.
private struct RevisionTrial {
    private let scratch: PostgresConfiguration
    private let migrator: Migrator

    init(graph: RevisionGraph, scratch: PostgresConfiguration) {
        self.scratch = scratch
        var options = Migrator.Options.trial
        options.runsAgain = true
        migrator = Migrator(graph: graph, configuration: scratch, options: options) { _ in }
    }

    /// Applies a revision, undoes it, and applies it again.
    /// - Returns: what is wrong, and what was done; `nil` when what comes after it cannot be tried.
    func problems(with revision: Revision) async throws -> (problems: [String], outcome: String?) {
        try await makeRows(for: revision)
        let before = try await Inventory(reading: scratch)
        let rows = try await contents()
        var problems = try await step("it", of: revision) { try await migrator.upgrade(to: revision.id) }
        let after = try await Inventory(reading: scratch)
        guard revision.downgrade.irreversible == nil else { return (problems, "irreversible, by its own word") }

        let isLossy = revision.upgrade.statements.contains { $0.dataLoss != nil }
        problems += try await step("its downgrade", of: revision, isSpared: isLossy) {
            try await migrator.downgrade(to: "-1")
        }
        let left = try await Inventory(reading: scratch)
        if let difference = left.difference(from: before, besides: revision.sharedExtensions) {
            problems.append("\(revision.file): its downgrade does not undo its upgrade: \(difference)")
        } else if !isLossy, let table = try await changed(since: rows) {
            problems.append(
                "\(revision.file): after its downgrade the rows of \(table) are not what they were before its upgrade")
        }
        do { try await migrator.upgrade(to: revision.id) } catch let error as MigrationFailed {
            try Task.checkCancellation()
            return (problems + ["\(revision.file): it cannot be applied again after its downgrade: \(error)"], nil)
        }
        if let difference = try await Inventory(reading: scratch).difference(from: after) {
            problems.append("\(revision.file): after a downgrade, its upgrade makes something else: \(difference)")
        }
        return (problems, "applied, undone, applied again")
    }

    /// Takes a step; when the rows are in its way it is taken without them. That is a problem only where no row would do: values
    /// that were made up may break a new check, but a column that must not be NULL and has no default fails with any row.
    /// - Parameter isSpared: whether it has nothing to fill such a column with, since the values are gone.
    private func step(
        _ name: String, of revision: Revision, isSpared: Bool = false, _ body: () async throws -> Void
    ) async throws -> [String] {
        do { try await body() } catch let error as MigrationFailed {
            try Task.checkCancellation()
            guard let state = error.state, ["22", "23"].contains(state.classCode), revision.fixtures.statements.isEmpty
            else { throw error }
            try await withRows { try await $0.clear() }
            try await body()
            guard state == "23502", !isSpared else { return [] }
            return ["\(revision.file): \(name) fails where there are rows: \(error)"]
        }
        return []
    }

    // MARK: Rows

    /// Makes the rows of the revision's own fixtures, and one in each table that is left empty.
    private func makeRows(for revision: Revision) async throws {
        let connection = try await Connection.open(scratch)
        defer { connection.close() }
        try await connection.script("BEGIN")
        for statement in revision.fixtures.statements where !statement.isServerWide {
            do { try await connection.script(statement.sql) } catch let error as PostgresError {
                throw MigrationFailed(
                    error, statement, in: revision, done: "It is one of the fixtures of \(revision.id).")
            }
        }
        if let catalog = try await connection.serverWideChange() {
            throw MigrationFailed(
                "\(revision.file): its fixtures change \(catalog), which all databases of the server share")
        }
        try await connection.script("COMMIT; RESET ROLE; RESET ALL")
        try await SampleRows(connection: connection).fill()
    }

    private func contents() async throws -> [String: String] {
        var contents: [String: String] = [:]
        try await withRows { contents = try await $0.contents() }
        return contents
    }

    /// A table whose rows are others than they were; none when the rows had to be given up. Records of changes are not looked at: what a
    /// revision does to rows, and undoes, adds some.
    private func changed(since rows: [String: String]) async throws -> String? {
        let now = try await contents()
        guard now.values.contains(where: { !$0.isEmpty }) else { return nil }
        return rows.keys.sorted().first { $0 != TableDefinition.records && now[$0] != nil && now[$0] != rows[$0] }
    }

    private func withRows(_ body: (SampleRows) async throws -> Void) async throws {
        let connection = try await Connection.open(scratch)
        defer { connection.close() }
        try await body(SampleRows(connection: connection))
    }
}

extension Revision {
    /// The extensions that its upgrade makes unless they are there: its downgrade cannot know whether others need them.
    fileprivate var sharedExtensions: Set<String> {
        Set(
            upgrade.statements.compactMap { statement in
                statement.sql.firstMatch(of: /(?i)^create\s+extension\s+if\s+not\s+exists\s+"?([\w-]+)"?/)
                    .map { "extension \($0.1)" }
            })
    }
}
