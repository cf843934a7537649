import Postgres
import SQL

/// The schema of a database as an SQL script, which is kept in `schema.sql` so that schema changes are visible in code
/// review.
public enum SchemaFile {
    /// Returns the script that creates the schema of a database. The script is the same for databases with the same
    /// schema.
    /// - Throws: `MigrationFailed` if the schema contains unsupported objects; `PostgresError`.
    public static func text(of configuration: PostgresConfiguration) async throws -> String {
        try await Snapshot(reading: configuration).script
    }

    /// Returns the script, after verifying that it creates the same schema in a scratch database.
    /// - Throws: `MigrationFailed` if the script creates a different schema, or cannot be verified; `PostgresError`,
    ///   `CancellationError`.
    public static func verifiedText(of configuration: PostgresConfiguration) async throws -> String {
        try await refuseOwners(configuration)
        let snapshot = try await Snapshot(reading: configuration)
        let text = snapshot.script
        let inventory = try await Inventory(reading: configuration)
        try await ScratchDatabase.with(configuration) { scratch in
            try await run(text, in: scratch)
            if let difference = try await Inventory(reading: scratch).difference(from: inventory) {
                throw MigrationFailed("in a scratch database, the script creates a different schema: \(difference)")
            }
            let made = try await Snapshot(reading: scratch).script
            if let difference = difference(of: made, from: text) {
                throw MigrationFailed("in a scratch database, the script creates a different schema:\n\(difference)")
            }
        }
        return text
    }

    /// Returns the first lines in which two scripts differ, with their line numbers; `nil` if the scripts are equal.
    public static func difference(of new: String, from old: String) -> String? {
        guard new != old else { return nil }
        let changes = lines(of: new).difference(from: lines(of: old))
        let shown = changes.map { change in
            switch change {
            case .remove(let index, let line, _): (index, 0, "\(index + 1): - \(line)")
            case .insert(let index, let line, _): (index, 1, "\(index + 1): + \(line)")
            }
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(6).map(\.2)
        return shown.isEmpty ? "1: the line endings" : shown.joined(separator: "\n")
    }

    private static func lines(of text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Executes a script statement by statement.
    /// - Throws: `MigrationFailed` if a statement fails, `PostgresError`.
    static func run(_ script: String, in scratch: PostgresConfiguration) async throws {
        let connection = try await Connection.open(scratch)
        defer { connection.close() }
        try await connection.script("SET statement_timeout = 0; SET client_min_messages = error")
        for (sql, _) in SQLScript.statements(of: script) {
            do { try await connection.script(sql) } catch let error as PostgresError {
                throw MigrationFailed("the script fails in a scratch database: \(error.message)\n\(sql)")
            }
        }
    }

    /// Throws if a table, a view or a sequence belongs to another role, since a scratch database cannot reproduce other
    /// owners.
    private static func refuseOwners(_ configuration: PostgresConfiguration) async throws {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        let query = Statement(
            unsafe: """
                SELECT ARRAY[c.oid::regclass::text, relowner::regrole::text] FROM pg_class c \
                JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'S') \
                AND relowner <> current_user::regrole AND \(SchemaObject.isDumped("c")) ORDER BY 1 LIMIT 1
                """)
        guard let row = try await connection.rows(query).first else { return }
        throw MigrationFailed("\(row[0]) belongs to \(row[1]): run it as that role")
    }
}

extension Snapshot {
    /// The snapshot as the contents of a schema file.
    var script: String {
        let header = "-- The schema that the revisions make, written by: aktify db dump"
        return ([header] + creation.map { $0 + ";" }).joined(separator: "\n\n") + "\n"
    }
}
