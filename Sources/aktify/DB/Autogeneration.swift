import AktifyAPI
import EventLoop
import Glibc
import Migrations

/// Compares the models with the database.
struct Autogeneration {
    private let schema: Schema
    private let graph: RevisionGraph
    private let config: Config

    init(_ schema: Schema, _ graph: RevisionGraph) throws {
        (self.schema, self.graph) = (schema, graph)
        config = try loadSchemaConfig()
    }

    /// What it sees, and what it cannot.
    static let limits = """
        It sees tables, columns, types and their widths, NULL, defaults, identity, generated columns, primary keys, uniques, checks, \
        foreign keys and indexes. A column or a table that vanished while one like it appeared is taken for a rename. It does not see \
        views, functions, triggers, enums, extensions, grants, row security, partitions, comments and the order of columns.
        """

    /// What the models have and the database has not, and the other way round.
    /// - Throws: `CommandError` when the database is not at the head.
    func changes() throws -> [Change] {
        let migrator = Migrator(graph: graph, configuration: config.database, log: { _ in })
        let heads = Set(graph.heads.map(\.id))
        return try Loop.run { [config] in
            guard try await migrator.versions() == heads else {
                throw CommandError("Target database is not up to date: aktify db upgrade")
            }
            return try await Differences.changes(from: config.database, to: metadata)
        }
    }

    /// A revision with its sections filled in, which has been tried in a scratch database; `nil` when there is nothing to change.
    /// - Throws: `CommandError` when it does not make what the models say, or cannot be undone.
    func filled(_ revision: NewRevision) throws -> NewRevision? {
        let changes = try changes()
        guard !changes.isEmpty else { return nil }
        for summary in changes.summaries { logAutogenerate(summary) }
        var revision = revision
        (revision.upgrade, revision.downgrade) = changes.sections
        let parsed = try Revision(parsing: revision.text, file: "\(schema.directory)/versions/\(revision.fileName)")
        try prove(parsed)
        for finding in Lint.findings(in: parsed) { warn("\(finding)") }
        return revision
    }

    private func prove(_ revision: Revision) throws {
        let proof = Proof(graph: graph, metadata: metadata, configuration: config.database)
        guard let problem = try runCancellably({ try await proof.problem(with: revision) }) else { return }
        throw CommandError(
            "Nothing was written: the generated revision failed its trial in a scratch database: \(problem)")
    }
}

/// Writes a line of the log of differences.
func logAutogenerate(_ line: String) {
    let text = "INFO  [alembic.autogenerate.compare] \(line)\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
}

/// Writes a warning.
func warn(_ line: String) {
    let text = "WARNING \(line)\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
}
