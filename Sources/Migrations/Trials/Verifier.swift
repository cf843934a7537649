import Postgres
import SQL

/// Applies, reverts and reapplies each revision in a scratch database that contains sample rows, and checks that the
/// downgrade reverts the upgrade.
public struct Verifier: Sendable {
    private let graph: RevisionGraph
    private let configuration: PostgresConfiguration
    private let log: @Sendable (String) -> Void

    /// Creates a verifier.
    /// - Parameters:
    ///   - graph: the revisions to verify.
    ///   - configuration: a database on the server on which the scratch database is created.
    ///   - log: receives a line for each revision.
    public init(graph: RevisionGraph, configuration: PostgresConfiguration, log: @escaping @Sendable (String) -> Void) {
        (self.graph, self.configuration, self.log) = (graph, configuration, log)
    }

    /// Verifies all revisions.
    /// - Returns: A message for each problem.
    /// - Throws: `MigrationFailed` if a revision fails, or no scratch database can be created; `PostgresError`,
    ///   `CancellationError`.
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

/// Tests revisions one after the other in a scratch database.
private struct RevisionTrial {
    private let scratch: PostgresConfiguration
    private let migrator: Migrator

    init(graph: RevisionGraph, scratch: PostgresConfiguration) {
        self.scratch = scratch
        var options = Migrator.Options.trial
        options.rerunsInterruptedStatements = true
        migrator = Migrator(graph: graph, configuration: scratch, options: options) { _ in }
    }

    /// Applies, reverts and reapplies a revision.
    /// - Returns: The problems, and a summary, which is `nil` if later revisions cannot be tested.
    func problems(with revision: Revision) async throws -> (problems: [String], outcome: String?) {
        try await makeRows(for: revision)
        let before = try await Inventory(reading: scratch)
        let rows = try await contents()
        var problems = try await step("it", of: revision) { try await migrator.upgrade(to: revision.id) }
        let after = try await Inventory(reading: scratch)
        guard revision.downgrade.irreversible == nil else { return (problems, "applied; marked as irreversible") }

        let isLossy = revision.upgrade.statements.contains { $0.dataLoss != nil }
        problems += try await step("its downgrade", of: revision, acceptsFailure: isLossy) {
            try await migrator.downgrade(to: "-1")
        }
        let reverted = try await Inventory(reading: scratch)
        if let difference = reverted.difference(from: before, besides: revision.sharedExtensions) {
            problems.append("\(revision.file): its downgrade does not revert its upgrade: \(difference)")
        } else if !isLossy, let table = try await changed(since: rows) {
            problems.append(
                "\(revision.file): after its downgrade, the rows of \(table) differ from before its upgrade")
        }
        do { try await migrator.upgrade(to: revision.id) } catch let error as MigrationFailed {
            try Task.checkCancellation()
            return (problems + ["\(revision.file): it cannot be applied again after its downgrade: \(error)"], nil)
        }
        if let difference = try await Inventory(reading: scratch).difference(from: after) {
            problems.append(
                "\(revision.file): after a downgrade, its upgrade creates a different schema: \(difference)")
        }
        return (problems, "applied, undone, applied again")
    }

    /// Runs `body`, an upgrade or a downgrade. If a data error or a violated constraint makes `body` fail, and the
    /// revision has no fixtures, deletes all rows and runs `body` again.
    ///
    /// A NOT NULL violation is reported as a problem, because any row would cause it. Other violations are not, because
    /// they may be due to the values of the sample rows.
    /// - Parameter acceptsFailure: whether even a NOT NULL violation is not reported. After an upgrade with data loss,
    ///   the downgrade cannot restore the deleted values of a NOT NULL column.
    private func step(
        _ name: String, of revision: Revision, acceptsFailure: Bool = false, _ body: () async throws -> Void
    ) async throws -> [String] {
        do { try await body() } catch let error as MigrationFailed {
            try Task.checkCancellation()
            guard let state = error.state, ["22", "23"].contains(state.classCode), revision.fixtures.statements.isEmpty
            else { throw error }
            try await withRows { try await $0.clear() }
            try await body()
            guard state == "23502", !acceptsFailure else { return [] }
            return ["\(revision.file): \(name) fails where there are rows: \(error)"]
        }
        return []
    }

    // MARK: Rows

    /// Inserts the rows of the revision's fixtures, and a row into each table that is still empty.
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
                "\(revision.file): its fixtures change the shared catalog \(catalog), so inserting them would "
                    + "change the whole server")
        }
        try await connection.script("COMMIT; RESET ROLE; RESET ALL")
        try await SampleRows(connection: connection).fill()
    }

    private func contents() async throws -> [String: String] {
        var contents: [String: String] = [:]
        try await withRows { contents = try await $0.contents() }
        return contents
    }

    /// Returns the first table whose rows have changed; `nil` if there is none, or if all tables are empty because
    /// `step` has deleted their rows. The table of change records is ignored, since both the upgrade and the downgrade
    /// may add records.
    private func changed(since rows: [String: String]) async throws -> String? {
        let now = try await contents()
        guard now.values.contains(where: { !$0.isEmpty }) else { return nil }
        return rows.keys.sorted().first { $0 != RecordingTrigger.records && now[$0] != nil && now[$0] != rows[$0] }
    }

    private func withRows(_ body: (SampleRows) async throws -> Void) async throws {
        let connection = try await Connection.open(scratch)
        defer { connection.close() }
        try await body(SampleRows(connection: connection))
    }
}

extension Revision {
    /// The extensions that the revision's upgrade creates IF NOT EXISTS. The downgrade need not drop these extensions,
    /// because other objects may need them.
    fileprivate var sharedExtensions: Set<String> {
        Set(
            upgrade.statements.compactMap { statement in
                statement.sql.firstMatch(of: /(?i)^create\s+extension\s+if\s+not\s+exists\s+"?([\w-]+)"?/)
                    .map { "extension \($0.1)" }
            })
    }
}
