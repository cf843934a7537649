import Postgres
import SQL

extension Catalog {
    /// Returns the catalog of the database, and the catalog that the database would have if its tables were those of
    /// the models.
    ///
    /// The models' tables are created in a temporary schema, which is rolled back. Thus both catalogs are read from
    /// Postgres, and types, defaults and checks are compared in Postgres's own notation.
    /// Partitioned tables without a model are left out, since models cannot describe them.
    /// - Throws: `PostgresError`; `MigrationFailed` if the temporary schema or the models' tables cannot be created.
    public static func compared(
        _ metadata: Metadata, _ configuration: PostgresConfiguration
    ) async throws -> (actual: Catalog, wanted: Catalog) {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        try await connection.script("SET client_min_messages = error; BEGIN")
        var actual = try await Catalog(reading: connection)
        try await makeSchema(connection)
        for statement in metadata.tables.flatMap(\.creation) { try await make(statement, connection) }
        var wanted = try await Catalog(reading: connection)
        wanted.addRecordings(of: metadata)
        wanted.addIndexes(of: metadata)
        try await connection.script("ROLLBACK")
        actual.tables = actual.tables.filter { !$0.value.isPartitioned || wanted.tables[$0.key] != nil }
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

    /// Returns the error for a comparison whose temporary schema cannot be created, with a remedy.
    private static func refusal(_ error: PostgresError, _ connection: Connection) async throws -> MigrationFailed {
        let query: Statement = "SELECT ARRAY[quote_ident(current_user), quote_ident(current_database())]"
        let names = try await connection.rows(query)[0]
        let comparison = "the comparison of database and models creates a schema, and rolls it back"
        guard error.state == "42501" else {
            return MigrationFailed(
                "\(comparison), but the server, or the session, is read-only: run it against the primary, without "
                    + "default_transaction_read_only")
        }
        return MigrationFailed(
            "\(comparison), which \(names[0]) is not allowed to do: run it as the database's owner, "
                + "or GRANT CREATE ON DATABASE \(names[1]) TO \(names[0])")
    }

    private static func make(_ statement: String, _ connection: Connection) async throws {
        do {
            try await connection.script("SAVEPOINT creation; \(statement); RELEASE creation")
        } catch let error as PostgresError {
            // An index may need an extension, and a trigger a function, that the database lacks: it is then
            // reported as a difference.
            guard ["CREATE INDEX", "CREATE TRIGGER"].contains(where: statement.hasPrefix) else {
                throw MigrationFailed("a model's table cannot be created: \(error)")
            }
            try await connection.script("ROLLBACK TO creation")
        }
    }

    /// Adds the models' change-recording triggers, including those that could not be created in the temporary schema
    /// because the trigger function is missing.
    private mutating func addRecordings(of metadata: Metadata) {
        for table in metadata.tables { tables[table.name]?.recording = table.recording }
    }

    /// Adds the models' indexes that Postgres could not create, for example because an extension is missing. The
    /// definitions of these indexes are taken from the models, since they cannot be read from Postgres.
    private mutating func addIndexes(of metadata: Metadata) {
        for table in metadata.tables {
            for index in table.indexes where tables[table.name]?.indexes[index.name] == nil {
                let text = "USING \(index.method) (\(index.keys.joined(separator: ", ")))"
                tables[table.name]?.indexes[index.name] = Index(text: text)
            }
        }
    }
}
