import Postgres
import SQL

/// Creates a scratch database with the same schema as another database.
struct SchemaCopy {
    /// All revisions.
    let graph: RevisionGraph
    /// The database to copy.
    let configuration: PostgresConfiguration
    /// The current revisions of the database to copy.
    let targets: [String]
    /// Whether a later revision is partly applied. It may already have dropped objects that the current revisions
    /// create.
    var hasIncompleteRevision = false
    /// Whether the schema is created by the revisions only, because the database to copy cannot be read.
    var usesRevisionsOnly = false

    /// The error that is thrown when one method of creating the schema fails, so that the next method is tried.
    private struct CopyFailed: Error {}

    /// Runs `body` with a scratch database that has the same schema. The schema is created by the revisions, which also
    /// insert rows. If that fails, or if the scratch database then lacks objects, such as manually created ones, the
    /// schema is created from a snapshot instead; if that fails, too, by the revisions, without the missing objects.
    /// - Throws: The error of `body`; `MigrationFailed` if the schema cannot be created, `PostgresError`.
    func with<Value: Sendable>(_ body: (PostgresConfiguration) async throws -> Value) async throws -> Value {
        if usesRevisionsOnly {
            return try await ScratchDatabase.with(configuration) { scratch in
                try await migrate(scratch)
                return try await body(scratch)
            }
        }
        let actual = try await Catalog(reading: configuration)
        do { return try await with(body) { try await makeAll(in: $0, actual) } } catch is CopyFailed {}
        do { return try await with(body) { try await copy(into: $0) } } catch is CopyFailed {}
        return try await ScratchDatabase.with(configuration) { scratch in
            try await make(in: scratch, actual)
            return try await body(scratch)
        }
    }

    private func with<Value: Sendable>(
        _ body: (PostgresConfiguration) async throws -> Value, madeBy make: (PostgresConfiguration) async throws -> Void
    ) async throws -> Value {
        try await ScratchDatabase.with(configuration) { scratch in
            if try await MigrationFailed.caught({ try await make(scratch) }) != nil { throw CopyFailed() }
            return try await body(scratch)
        }
    }

    private func makeAll(in scratch: PostgresConfiguration, _ actual: Catalog) async throws {
        try await make(in: scratch, actual)
        let (wanted, made) = (try await names(in: configuration), try await names(in: scratch))
        guard hasIncompleteRevision ? wanted == made : wanted.isSubset(of: made) else { throw CopyFailed() }
    }

    /// Returns the types and names of the objects in all schemas, including triggers, rules and policies. Definitions
    /// are not read, since that would wait for locked tables.
    private func names(in configuration: PostgresConfiguration) async throws -> Set<String> {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        return try await Set(
            connection.rows(
                """
                SELECT ARRAY[concat_ws(' ', type, (SELECT relkind FROM pg_class WHERE oid = objid AND classid = 'pg_class'::regclass), \
                identity)] FROM (SELECT DISTINCT classid, objid FROM pg_depend own WHERE objid >= 16384 \
                AND (refclassid = 'pg_namespace'::regclass OR classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass) \
                OR objid IN (SELECT oid FROM pg_trigger WHERE NOT tgisinternal) AND classid = 'pg_trigger'::regclass) \
                AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = own.classid AND objid = own.objid AND deptype = 'e')) made, \
                pg_identify_object(classid, objid, 0) WHERE identity !~ '^pg_' \
                AND identity !~ '\\m\(unsafe: Inventory.bookkeeping)\\M'
                """
            ).map { $0[0] })
    }

    private func copy(into scratch: PostgresConfiguration) async throws {
        let snapshot: Snapshot
        do { snapshot = try await Snapshot(reading: configuration) } catch let error as PostgresError
            where error.state == "55P03"
        { throw CopyFailed() }
        try await SchemaFile.run(snapshot.script, in: scratch)
    }

    /// Applies the revisions in a scratch database, then changes the schema to match `actual`, the catalog of the
    /// database to copy. An error of the revisions is thrown only if the schema cannot be made to match.
    private func make(in scratch: PostgresConfiguration, _ actual: Catalog) async throws {
        let failed = try await MigrationFailed.caught { try await migrate(scratch) }
        let rest = try await MigrationFailed.caught { try await change(scratch, to: actual) }
        if let rest { throw failed ?? rest }
    }

    private func migrate(_ scratch: PostgresConfiguration) async throws {
        let migrator = Migrator(graph: graph, configuration: scratch, options: .trial) { _ in }
        for target in targets { try await migrator.upgrade(to: target) }
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
            throw MigrationFailed("the database's schema cannot be created in a scratch database: \(error)")
        }
        let remaining = Differences(actual: try await Catalog(reading: connection), wanted: actual).changes
        guard remaining.isEmpty else {
            throw MigrationFailed(
                "the database's schema cannot be created in a scratch database: "
                    + "\(remaining.summaries.joined(separator: "; "))"
            )
        }
    }

    /// Returns the extensions of the database.
    private func extensions() async throws -> [String] {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        return try await connection.rows("SELECT ARRAY[quote_ident(extname)] FROM pg_extension ORDER BY oid").map {
            $0[0]
        }
    }
}

extension MigrationFailed {
    /// Runs `body`, and returns the `MigrationFailed` that it throws; `nil` if `body` succeeds.
    /// - Throws: Other errors of `body`, `CancellationError`.
    static func caught(_ body: () async throws -> Void) async throws -> MigrationFailed? {
        do { try await body() } catch let error as MigrationFailed {
            try Task.checkCancellation()
            return error
        }
        return nil
    }
}
