import Postgres
import SQL

/// Makes in an empty database what another one holds.
struct Replica {
    let graph: RevisionGraph
    let configuration: PostgresConfiguration

    /// Makes what is there: by the revisions, as far as they can be applied to an empty database, and the rest by what the catalog
    /// says.
    /// - Parameter targets: the revisions that the other one stands at.
    /// - Throws: `MigrationFailed` when it cannot be made, `PostgresError`.
    func make(in scratch: PostgresConfiguration, upTo targets: [String], _ actual: Catalog) async throws {
        var options = Migrator.Options()
        options.allowsDataLoss = true
        let migrator = Migrator(graph: graph, configuration: scratch, options: options) { _ in }
        let failed = try await MigrationFailed.caught {
            for target in targets { try await migrator.upgrade(to: target) }
        }
        let rest = try await MigrationFailed.caught { try await change(scratch, to: actual) }
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
}

extension MigrationFailed {
    /// How `body` fails to migrate, if it does.
    /// - Throws: what else `body` throws, `CancellationError`.
    static func caught(_ body: () async throws -> Void) async throws -> MigrationFailed? {
        do { try await body() } catch let error as MigrationFailed {
            try Task.checkCancellation()
            return error
        }
        return nil
    }
}
