import Postgres
import SQL

extension Catalog {
    /// What the database holds, and what it would hold if the models' tables were made in it: both read by the same means, so
    /// that types, defaults and checks are compared as Postgres writes them. Nothing of it stays.
    /// - Throws: `PostgresError`; `MigrationFailed` when the models' tables cannot be made.
    public static func compared(
        _ metadata: Metadata, _ configuration: PostgresConfiguration
    ) async throws -> (actual: Catalog, wanted: Catalog) {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        try await connection.script("SET client_min_messages = error; BEGIN")
        let actual = try await Catalog(reading: connection)
        try await makeSchema(connection)
        for statement in metadata.tables.flatMap(\.creation) { try await make(statement, connection) }
        var wanted = try await Catalog(reading: connection)
        wanted.addRecordings(of: metadata)
        wanted.addIndexes(of: metadata)
        try await connection.script("ROLLBACK")
        return (actual, wanted)
    }

    private static func makeSchema(_ connection: Connection) async throws {
        let path = "set_config('search_path', 'aktify_models, ' || current_setting('search_path'), true)"
        do { try await connection.script("CREATE SCHEMA aktify_models; SELECT \(path)") } catch let error
            as PostgresError
            where error.state == "42501" || error.state == "25006"
        {
            try await connection.script("ROLLBACK")
            throw try await refusal(error, connection)
        }
    }

    /// Why nothing can be made, and how it can.
    private static func refusal(_ error: PostgresError, _ connection: Connection) async throws -> MigrationFailed {
        let query: Statement = "SELECT ARRAY[quote_ident(current_user), quote_ident(current_database())]"
        let names = try await connection.rows(query)[0]
        let comparison = "database and models are compared in a schema that is made and rolled back"
        guard error.state == "42501" else {
            return MigrationFailed(
                "\(comparison), and the server, or the session, is read-only: run it against the primary, without "
                    + "default_transaction_read_only")
        }
        return MigrationFailed(
            "\(comparison), which \(names[0]) has no right to do: run it as the database's owner, or GRANT CREATE ON DATABASE "
                + "\(names[1]) TO \(names[0])")
    }

    private static func make(_ statement: String, _ connection: Connection) async throws {
        do {
            try await connection.script("SAVEPOINT creation; \(statement); RELEASE creation")
        } catch let error as PostgresError {
            // An index may need an extension, and a trigger a function, that the database has not got yet: it is then one of the differences.
            guard ["CREATE INDEX", "CREATE TRIGGER"].contains(where: statement.hasPrefix) else {
                throw MigrationFailed("a model's table cannot be made: \(error)")
            }
            try await connection.script("ROLLBACK TO creation")
        }
    }

    /// Adds the triggers, whether or not they could be made.
    private mutating func addRecordings(of metadata: Metadata) {
        for table in metadata.tables where table.recordsChanges { tables[table.name]?.recording = table.recording }
    }

    /// Adds the indexes that could not be made, as the models write them.
    private mutating func addIndexes(of metadata: Metadata) {
        for table in metadata.tables {
            for index in table.indexes where tables[table.name]?.indexes[index.name] == nil {
                let text = "USING \(index.method) (\(index.keys.joined(separator: ", ")))"
                tables[table.name]?.indexes[index.name] = Index(text: text)
            }
        }
    }
}
