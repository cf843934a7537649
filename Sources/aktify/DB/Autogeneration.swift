import AktifyAPI
import EventLoop
import Glibc
import Migrations

/// Generates revisions from the differences between the models and the database.
struct Autogeneration {
    private let schema: SchemaOptions
    private let graph: RevisionGraph
    private let config: Config

    init(_ schema: SchemaOptions, _ graph: RevisionGraph) throws {
        (self.schema, self.graph) = (schema, graph)
        config = try loadSchemaConfig()
    }

    /// The help text on which differences are detected and which are not.
    static let limits = """
        Detected are tables, columns, types and their lengths, NOT NULL, defaults, identity and generated columns, \
        primary keys, unique and check constraints, foreign keys and indexes. A column or table that disappeared while \
        a similar one appeared counts as renamed. Not detected are views, functions, triggers, enums, extensions, \
        privileges, row-level security, partitions, comments and the order of columns.
        """

    /// Returns the changes that make the database agree with the models.
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

    /// Fills in the upgrade and downgrade sections of a revision, and tests the revision in a scratch database.
    /// - Returns: the complete revision; `nil` when the models and the database agree.
    /// - Throws: `CommandError` when the upgrade does not produce the schema of the models, or the downgrade does not
    ///   revert the upgrade.
    func fill(_ revision: NewRevision) throws -> NewRevision? {
        let changes = try changes()
        guard !changes.isEmpty else { return nil }
        for summary in changes.summaries { logAutogenerate(summary) }
        var revision = revision
        (revision.upgrade, revision.downgrade) = changes.sections
        let parsed = try Revision(parsing: revision.text, file: "\(schema.directory)/versions/\(revision.fileName)")
        try test(parsed)
        for finding in Lint.findings(in: parsed) { warn("\(finding)") }
        return revision
    }

    private func test(_ revision: Revision) throws {
        let proof = Proof(graph: graph, metadata: metadata, configuration: config.database)
        guard let problem = try runCancellably({ try await proof.problem(with: revision) }) else { return }
        throw CommandError(
            "Nothing was written: the generated revision failed its test in a scratch database: \(problem)")
    }
}

/// Prints a detected difference to standard error, in the format of Alembic's log.
func logAutogenerate(_ line: String) {
    let text = "INFO  [alembic.autogenerate.compare] \(line)\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
}

/// Prints a warning to standard error.
func warn(_ line: String) {
    let text = "WARNING \(line)\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
}
