import Postgres
import SQL

/// Inserts a row into each empty table, so that revisions are tested on tables with rows.
struct SampleRows {
    let connection: Connection

    /// Fills empty tables. A table stays empty if no row derived from its types and constraints is accepted.
    /// - Throws: `PostgresError` when the tables cannot be read.
    func fill() async throws {
        var empty = try await tables()
        // A row with a foreign key needs the row that it references: each round may make others possible.
        while !empty.isEmpty {
            var remaining: [Table] = []
            for table in empty where try await !fill(table) { remaining.append(table) }
            guard remaining.count < empty.count else { return }
            empty = remaining
        }
    }

    /// Empties all tables except the tool's own.
    /// - Throws: `PostgresError`.
    func clear() async throws {
        let names = try await connection.rows(SampleRows.tablesQuery).map { $0[0] }
        if !names.isEmpty { try await connection.script("TRUNCATE \(names.joined(separator: ", ")) CASCADE") }
    }

    /// Returns a hash of the rows of each table, by table name; an empty string for an empty table. A hash depends
    /// neither on the order of columns nor on the order of rows.
    /// - Throws: `PostgresError`.
    func contents() async throws -> [String: String] {
        var contents: [String: String] = [:]
        for name in try await connection.rows(SampleRows.tablesQuery).map({ $0[0] }) {
            let query =
                "SELECT coalesce(md5(string_agg(line, ',' ORDER BY line)), '') FROM (SELECT to_jsonb(each)::text AS line FROM \(name) each) lines"
            var row = try await connection.script(query).row(0)
            contents[name] = try row.next(String.self)
        }
        return contents
    }

    private func tables() async throws -> [Table] {
        var tables: [Table] = []
        for row in try await connection.rows(SampleRows.tablesQuery) {
            let isEmpty = try await connection.script("SELECT 1 FROM \(row[0]) LIMIT 1").count == 0
            let columns = try await connection.rows(SampleRows.columnsQuery(row[0])).map(Column.init)
            if isEmpty { tables.append(Table(name: row[0], columns: columns)) }
        }
        return tables
    }

    /// Tries to insert a row into a table until the table accepts one. After a violated check, the next values are
    /// tried for the columns of that check.
    /// - Returns: Whether a row was inserted.
    private func fill(_ table: Table) async throws -> Bool {
        var table = table
        while true {
            try Task.checkCancellation()
            do {
                try await connection.script(table.insertion)
                return true
            } catch let error as PostgresError {
                guard table.advance(past: error.constraint) else { return false }
            }
        }
    }

    private static let tablesQuery: Statement = """
        SELECT ARRAY[pg_class.oid::regclass::text] FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND relkind IN ('r', 'p') AND NOT relispartition \
        AND relname NOT IN (\(unsafe: MigrationSession.ownTables)) \
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e') \
        ORDER BY pg_class.oid
        """

    /// Returns the query for a table's columns without a default. Each row is the column's name, the category and name
    /// of its type, the first label of an enum, a subquery for a value that its foreign key permits, and the
    /// definitions and names of its checks.
    private static func columnsQuery(_ table: String) -> Statement {
        """
        SELECT ARRAY[quote_ident(attname), typcategory::text, typname::text, \
        coalesce((SELECT quote_literal(enumlabel) FROM pg_enum WHERE enumtypid = atttypid ORDER BY enumsortorder LIMIT 1), ''), \
        coalesce((SELECT format('(SELECT %I FROM %s LIMIT 1)', target.attname, confrelid::regclass) FROM pg_constraint \
        JOIN pg_attribute target ON target.attrelid = confrelid AND target.attnum = confkey[array_position(conkey, own.attnum)] \
        WHERE conrelid = own.attrelid AND contype = 'f' AND own.attnum = ANY (conkey) LIMIT 1), ''), \
        coalesce((SELECT string_agg(pg_get_constraintdef(pg_constraint.oid), ' ') FROM pg_constraint \
        WHERE conrelid = own.attrelid AND contype = 'c' AND own.attnum = ANY (conkey)), ''), \
        coalesce((SELECT string_agg(conname, ' ') FROM pg_constraint \
        WHERE conrelid = own.attrelid AND contype = 'c' AND own.attnum = ANY (conkey)), '')] \
        FROM pg_attribute own JOIN pg_type ON pg_type.oid = atttypid WHERE attrelid = \(table)::text::regclass AND attnum > 0 \
        AND NOT attisdropped AND NOT atthasdef AND attidentity = '' AND attgenerated = '' ORDER BY attnum
        """
    }
}

private struct Table {
    let name: String
    var columns: [Column]

    var insertion: String {
        guard !columns.isEmpty else { return "INSERT INTO \(name) DEFAULT VALUES" }
        let (names, values) = (columns.map(\.name), columns.map { $0.values.first ?? "NULL" })
        return "INSERT INTO \(name) (\(names.joined(separator: ", "))) VALUES (\(values.joined(separator: ", ")))"
    }

    /// Moves on to the next values of the columns of a check constraint.
    /// - Returns: Whether there are further values.
    mutating func advance(past constraint: String?) -> Bool {
        let indices = columns.indices.filter { index in
            columns[index].values.count > 1 && constraint.map(columns[index].checks.contains) ?? false
        }
        for index in indices { columns[index].values.removeFirst() }
        return !indices.isEmpty
    }
}

private struct Column {
    let name: String
    /// The SQL expressions to try as the column's value in a sample row, in this order. When a row violates a check on
    /// the column, the first expression is removed, unless it is the only one.
    var values: [String]
    /// The names of the checks on the column.
    let checks: [String]

    init(_ row: [String]) {
        name = row[0]
        self.checks = row[6].split(separator: " ").map { String($0) }
        let (category, type, label, reference, checks) = (row[1], row[2], row[3], row[4], row[5])
        let made = Column.values(ofCategory: category, type, checks).map(literal)
        values = !reference.isEmpty ? [reference] : !label.isEmpty ? [label] : made.isEmpty ? ["NULL"] : made
    }

    /// Returns the values to try for a column, by the category of its type (PostgreSQL manual, `pg_type`). Literals in
    /// checks are tried, too, since they may be the permitted values.
    private static func values(ofCategory category: String, _ type: String, _ checks: String) -> [String] {
        let literals = checks.matches(of: /'(?:[^']|'')*'|\b\d+\b/).map { String($0.output).replacing("'", with: "") }
        return switch category {
        case "N": ["1", "0", "100", "-1"] + literals.filter { Int($0) != nil }
        case "S": literals.filter { Int($0) == nil } + ["x", "xxxxxxxx", "a@b.example"]
        case "B": ["true", "false"]
        case "D": ["now"]
        case "T": ["1 hour"]
        case "A": ["{}"]
        case "I": ["127.0.0.1"]
        case "R": ["empty"]
        case "V": ["1"]
        default: valuesByType[type].map { [$0] } ?? []
        }
    }

    private static let valuesByType = [
        "uuid": "00000000-0000-0000-0000-000000000001", "json": "{}", "jsonb": "{}", "bytea": "x", "xml": "<x/>",
        "tsvector": "x", "point": "(0,0)",
    ]
}
