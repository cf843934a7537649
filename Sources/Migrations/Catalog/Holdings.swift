import Postgres
import SQL

/// The tables of a database with their columns, as the catalog has them at one moment: what a revision may lose data of.
struct Holdings: Hashable {
    /// A table.
    struct Table: Hashable {
        /// Its name with its schema, in quotes where they are needed.
        var name: String
        /// The file that it lies in; a truncation and a rewrite give it another one.
        var file: Int64
        /// Whether a row is in it; only known of what a revision has left.
        var isEmpty = false
        /// How many rows are in it; only counted when it may have been truncated and filled again.
        var left: Int64?
        var columns: [Int16: Column] = [:]
    }

    /// A column: its number in the table never changes.
    struct Column: Hashable {
        /// Its name, in quotes where it needs them.
        var name: String
        /// Its type, as `format_type` writes it.
        var type: String
    }

    /// The tables, by their object id, which a new name does not change.
    var tables: [Int64: Table] = [:]
}

/// Data that a revision loses.
enum Loss: Hashable {
    case table(String)
    case column(table: String, String)
    case narrowed(table: String, column: String, from: String, to: String)
    case truncated(String)
    case deleted(table: String, rows: Int64)

    /// The query for the number of rows or values at stake, as text, once the revision is rolled back.
    var count: String {
        switch self {
        case .table(let table), .truncated(let table): Loss.count("*", in: table)
        case .column(let table, let column), .narrowed(let table, let column, _, _): Loss.count(column, in: table)
        case .deleted(_, let rows): "SELECT '\(rows)'"
        }
    }

    /// Where row-level security hides rows from who counts, the table's size tells whether there are any.
    private static func count(_ what: String, in table: String) -> String {
        """
        SELECT CASE WHEN row_security_active(\(literal(table))::regclass) THEN sign(pg_relation_size(\(literal(table))::regclass)) \
        ELSE (SELECT count(\(what)) FROM \(table)) END::bigint::text
        """
    }

    /// `drops column lead.note (12 values)`
    func text(_ count: some CustomStringConvertible) -> String {
        switch self {
        case .table(let table): "drops table \(table) (\(count) rows)"
        case .truncated(let table): "truncates table \(table) (\(count) rows)"
        case .column(let table, let column): "drops column \(table).\(column) (\(count) values)"
        case .narrowed(let table, let column, let from, let to):
            "changes \(table).\(column) from \(from) to \(to) (\(count) values)"
        case .deleted(let table, _): "deletes rows of \(table) (\(count))"
        }
    }
}

extension Holdings {
    /// What is not there any more, or holds less; in the order of the tables' names.
    func losses(comparedWith now: Holdings) -> [Loss] {
        tables.sorted { $0.value.name < $1.value.name }.flatMap { id, old -> [Loss] in
            guard let new = now.tables[id] else { return [.table(old.name)] }
            let isTruncated = new.file != old.file && (new.isEmpty || new.left != nil)
            return (isTruncated ? [.truncated(old.name)] : []) + old.losses(new)
        }
    }
}

extension Holdings.Table {
    fileprivate func losses(_ new: Self) -> [Loss] {
        columns.sorted { $0.key < $1.key }.compactMap { number, column in
            guard let left = new.columns[number] else { return .column(table: name, column.name) }
            guard left.type != column.type, !SQLType(left.type).holds(SQLType(column.type)) else { return nil }
            return .narrowed(table: name, column: column.name, from: column.type, to: left.type)
        }
    }
}

// MARK: Reading

extension Connection {
    /// Reads what is there now.
    /// - Parameters:
    ///   - before: what was there; of a table whose file has changed since, it is asked whether a row is left.
    ///   - counting: whether the rows that are left are counted.
    func holdings(since before: Holdings? = nil, counting: Bool = false) async throws -> Holdings {
        let result = try await execute(
            """
            SELECT c.oid::bigint, format('%I.%I', n.nspname, c.relname), coalesce(pg_relation_filenode(c.oid), 0)::bigint, \
            coalesce(a.attnum, 0::smallint), coalesce(quote_ident(a.attname), ''), \
            coalesce(format_type(a.atttypid, a.atttypmod), '') \
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
            WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' \
            AND n.nspname <> 'information_schema' \
            AND c.relname NOT IN (\(unsafe: MigrationSession.ownTables))
            """)
        var holdings = Holdings()
        for index in 0..<result.count {
            var row = result.row(index)
            let (id, name, file) = (try row.next(Int64.self), try row.next(String.self), try row.next(Int64.self))
            let number = try row.next(Int16.self)
            let column = Holdings.Column(name: try row.next(), type: try row.next())
            if number > 0 {
                holdings.tables[id, default: .init(name: name, file: file)].columns[number] = column
            } else {
                holdings.tables[id] = .init(name: name, file: file)
            }
        }
        for (id, table) in holdings.tables {
            guard let old = before?.tables[id], old.file != table.file else { continue }
            let statement = Statement(unsafe: "SELECT NOT EXISTS (SELECT FROM \(table.name))")
            var row = try await execute(statement).row(0)
            holdings.tables[id]?.isEmpty = try row.next()
            guard counting else { continue }
            var counted = try await script("SELECT count(*)::text FROM \(table.name)").row(0)
            holdings.tables[id]?.left = Int64(try counted.next(String.self))
        }
        return holdings
    }

    /// The rows of these tables that were deleted in this transaction, as far as the server counts them (`track_counts`).
    func deletions(from holdings: Holdings) async throws -> [Loss] {
        let names = holdings.tables.values.map(\.name)
        let result = try await execute(
            """
            SELECT format('%I.%I', schemaname, relname), n_tup_del FROM pg_stat_xact_user_tables WHERE n_tup_del > 0 \
            AND format('%I.%I', schemaname, relname) = ANY(\(names)) ORDER BY 1
            """)
        return try (0..<result.count).map { index in
            var row = result.row(index)
            return .deleted(table: try row.next(), rows: try row.next())
        }
    }
}
