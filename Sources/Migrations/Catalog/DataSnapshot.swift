import Postgres
import SQL

/// The tables and columns of a database at one point in time. Data loss is detected by comparing two snapshots.
struct DataSnapshot: Hashable {
    /// A table.
    struct Table: Hashable {
        /// The qualified name, quoted where necessary.
        var name: String
        /// The filenode, which a truncation or a rewrite changes.
        var file: Int64
        /// Whether the table is empty. Always false unless the table's file has changed since an earlier snapshot.
        var isEmpty = false
        /// The number of rows; counted only if the table may have been truncated and filled again.
        var rowCount: Int64?
        /// The columns by `attnum`.
        var columns: [Int16: Column] = [:]
    }

    /// A column of a table, identified by its `attnum`, which never changes.
    struct Column: Hashable {
        /// The name, quoted if necessary.
        var name: String
        /// The type, as `format_type` returns it.
        var type: String
    }

    /// The tables by oid, which a rename does not change.
    var tables: [Int64: Table] = [:]
}

/// Data that a revision deletes.
enum DataLoss: Hashable {
    /// A table was dropped.
    case table(String)
    /// A column was dropped.
    case column(table: String, String)
    /// A column's type was changed to one that may not hold every value of the old type.
    case narrowed(table: String, column: String, from: String, to: String)
    /// A table was truncated.
    case truncated(String)
    /// Rows were deleted.
    case deleted(table: String, rows: Int64)

    /// The SQL query that counts the affected rows or values, and returns the number as text. The query must run while
    /// the data exists: before the revision, or after its rollback.
    var count: String {
        switch self {
        case .table(let table), .truncated(let table): DataLoss.count("*", in: table)
        case .column(let table, let column), .narrowed(let table, let column, _, _): DataLoss.count(column, in: table)
        case .deleted(_, let rows): "SELECT '\(rows)'"
        }
    }

    /// Returns a query that counts rows or values. If row-level security hides rows from the current role, the query
    /// returns 1 if the table's file contains data, otherwise 0.
    private static func count(_ what: String, in table: String) -> String {
        """
        SELECT CASE WHEN row_security_active(\(literal(table))::regclass) THEN sign(pg_relation_size(\(literal(table))::regclass)) \
        ELSE (SELECT count(\(what)) FROM \(table)) END::bigint::text
        """
    }

    /// A description with a number of rows or values, such as `drops column lead.note (12 values)`.
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

extension DataSnapshot {
    /// Returns the tables and columns that were dropped, the columns whose type was narrowed, and the tables that were
    /// truncated between this snapshot and a later one. The result is sorted by table name.
    func losses(comparedWith now: DataSnapshot) -> [DataLoss] {
        tables.sorted { $0.value.name < $1.value.name }.flatMap { id, old -> [DataLoss] in
            guard let new = now.tables[id] else { return [.table(old.name)] }
            let isTruncated = new.file != old.file && (new.isEmpty || new.rowCount != nil)
            return (isTruncated ? [.truncated(old.name)] : []) + old.losses(new)
        }
    }
}

extension DataSnapshot.Table {
    fileprivate func losses(_ new: Self) -> [DataLoss] {
        columns.sorted { $0.key < $1.key }.compactMap { number, column in
            guard let current = new.columns[number] else { return .column(table: name, column.name) }
            guard current.type != column.type, !SQLType(current.type).holds(SQLType(column.type)) else { return nil }
            return .narrowed(table: name, column: column.name, from: column.type, to: current.type)
        }
    }
}

// MARK: Reading

extension Connection {
    /// Reads a snapshot of the database.
    /// - Parameters:
    ///   - before: an earlier snapshot. Tables whose file has changed since are checked for being empty.
    ///   - counting: whether the rows of these tables are counted, too.
    func dataSnapshot(since before: DataSnapshot? = nil, counting: Bool = false) async throws -> DataSnapshot {
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
        var snapshot = DataSnapshot()
        for index in 0..<result.count {
            var row = result.row(index)
            let (id, name, file) = (try row.next(Int64.self), try row.next(String.self), try row.next(Int64.self))
            let number = try row.next(Int16.self)
            let column = DataSnapshot.Column(name: try row.next(), type: try row.next())
            if number > 0 {
                snapshot.tables[id, default: .init(name: name, file: file)].columns[number] = column
            } else {
                snapshot.tables[id] = .init(name: name, file: file)
            }
        }
        for (id, table) in snapshot.tables {
            guard let old = before?.tables[id], old.file != table.file else { continue }
            let statement = Statement(unsafe: "SELECT NOT EXISTS (SELECT FROM \(table.name))")
            var row = try await execute(statement).row(0)
            snapshot.tables[id]?.isEmpty = try row.next()
            guard counting else { continue }
            var counted = try await script("SELECT count(*)::text FROM \(table.name)").row(0)
            snapshot.tables[id]?.rowCount = Int64(try counted.next(String.self))
        }
        return snapshot
    }

    /// Returns the number of rows deleted from each of the snapshot's tables, under its name in the snapshot, according
    /// to the server's statistics (`track_counts`). Tables without deleted rows are omitted. A number may include rows
    /// that the session's preceding transactions deleted: only its growth since the open transaction began is due to
    /// that transaction.
    func deletions(from snapshot: DataSnapshot) async throws -> [DataLoss] {
        let result = try await execute(
            "SELECT relid::bigint, n_tup_del FROM pg_stat_xact_user_tables WHERE n_tup_del > 0 ORDER BY 1")
        return try (0..<result.count).compactMap { index in
            var row = result.row(index)
            guard let table = snapshot.tables[try row.next()] else { return nil }
            return .deleted(table: table.name, rows: try row.next())
        }
    }
}
