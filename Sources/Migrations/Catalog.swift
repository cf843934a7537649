import Postgres
import SQL

/// What a schema holds, as Postgres itself writes it down, so that two can be compared.
public struct Catalog: Hashable, Sendable {
    /// A column.
    public struct Column: Hashable, Sendable {
        var name: String
        var type: String
        var isNullable: Bool
        var defaultValue: String?
    }

    /// A table.
    public struct Table: Hashable, Sendable {
        var name: String
        var columns: [Column] = []
        /// Keys, uniques, checks and foreign keys: definitions by name.
        var constraints: [String: String] = [:]
        /// Definitions by name, without those that belong to a constraint.
        var indexes: [String: String] = [:]

        func column(_ name: String) -> Column? { columns.first { $0.name == name } }
    }

    var tables: [String: Table] = [:]
    /// The types of the sequences.
    var sequences: [String: String] = [:]

    /// The tables that migrations keep for themselves.
    static let ownTables: Set<String> = ["alembic_version", "migration_history", "migration_revision"]

    /// Reads the schema that comes first in the search path.
    /// - Throws: `PostgresError`.
    init(reading connection: Connection) async throws {
        for row in try await Catalog.rows(Catalog.columnsQuery, connection) where !Catalog.ownTables.contains(row[0]) {
            tables[row[0], default: Table(name: row[0])].columns.append(
                Column(
                    name: row[1], type: row[2], isNullable: row[3] == "true",
                    defaultValue: row[4].isEmpty ? nil : row[4]))
        }
        for row in try await Catalog.rows(Catalog.constraintsQuery, connection) {
            tables[row[0]]?.constraints[row[1]] = row[2]
        }
        for row in try await Catalog.rows(Catalog.indexesQuery, connection) { tables[row[0]]?.indexes[row[1]] = row[2] }
        for row in try await Catalog.rows(Catalog.sequencesQuery, connection)
        where !row[0].hasPrefix("migration_history") {
            sequences[row[0]] = row[1]
        }
    }

    /// The same, but for the order of the columns, which a column that comes back after it was dropped does not keep.
    var unordered: Catalog {
        var catalog = self
        for name in tables.keys { catalog.tables[name]?.columns.sort { $0.name < $1.name } }
        return catalog
    }

    private static func rows(_ query: Statement, _ connection: Connection) async throws -> [[String]] {
        let result = try await connection.execute(query)
        return try (0..<result.count).map { index in
            var row = result.row(index)
            return try row.next([String].self)
        }
    }

    private static let columnsQuery: Statement = """
        SELECT ARRAY[relname::text, attname::text, format_type(atttypid, atttypmod), (NOT attnotnull)::text, \
        coalesce(pg_get_expr(adbin, adrelid, true), '')] \
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid AND relkind IN ('r', 'p') \
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum \
        WHERE attnum > 0 AND NOT attisdropped AND relnamespace = current_schema()::regnamespace ORDER BY relname, attnum
        """

    private static let constraintsQuery: Statement = """
        SELECT ARRAY[relname::text, conname::text, pg_get_constraintdef(pg_constraint.oid, true)] \
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid \
        WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'u', 'c', 'f', 'x')
        """

    private static let indexesQuery: Statement = """
        SELECT ARRAY[tables.relname::text, indexes.relname::text, pg_get_indexdef(indexrelid, 0, true)] FROM pg_index \
        JOIN pg_class tables ON tables.oid = indrelid JOIN pg_class indexes ON indexes.oid = indexrelid \
        WHERE tables.relnamespace = current_schema()::regnamespace \
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        """

    private static let sequencesQuery: Statement = """
        SELECT ARRAY[relname::text, format_type(seqtypid, NULL)] FROM pg_sequence \
        JOIN pg_class ON pg_class.oid = seqrelid WHERE relnamespace = current_schema()::regnamespace
        """
}

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
        try await connection.script(
            "CREATE SCHEMA aktify_models; SELECT set_config('search_path', 'aktify_models, ' || current_setting('search_path'), true)"
        )
        for statement in metadata.tables.flatMap(\.creation) {
            do {
                try await connection.script("SAVEPOINT creation; \(statement); RELEASE creation")
            } catch let error as PostgresError {
                // An index may need an extension that the database has not got yet: it is then one of the differences.
                guard statement.hasPrefix("CREATE INDEX") else {
                    throw MigrationFailed("a model's table cannot be made: \(error)")
                }
                try await connection.script("ROLLBACK TO creation")
            }
        }
        var wanted = try await Catalog(reading: connection)
        wanted.addIndexes(of: metadata)
        try await connection.script("ROLLBACK")
        return (actual, wanted)
    }

    /// Adds the indexes that could not be made, as the models write them.
    private mutating func addIndexes(of metadata: Metadata) {
        for table in metadata.tables {
            for (index, statement) in zip(table.indexes, table.creation.dropFirst())
            where tables[table.name]?.indexes[index.name] == nil {
                tables[table.name]?.indexes[index.name] = statement
            }
        }
    }
}
