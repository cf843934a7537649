import Postgres
import SQL

/// A read-only connection to the database for which an upgrade is planned.
struct LiveDatabase {
    private let connection: Connection

    /// Opens a read-only session with a short `lock_timeout`.
    /// - Throws: `PostgresError`.
    init(_ configuration: PostgresConfiguration) async throws {
        connection = try await Connection.open(configuration)
        try await connection.script(
            "SET default_transaction_read_only = on; SET lock_timeout = 200; SET statement_timeout = 60000")
    }

    func close() { connection.close() }

    /// Reads the catalog; `nil` if another session has locked a table whose definition must be read.
    /// - Throws: `PostgresError`.
    func catalog() async throws -> Catalog? {
        do { return try await Catalog(reading: connection) } catch let error as PostgresError
            where error.state == "55P03"
        {
            return nil
        }
    }

    // MARK: Sizes

    /// Returns the size of a table or an index; `nil` if the relation does not exist. If the relation is locked, its
    /// size is the one recorded by the last VACUUM or ANALYZE, and `indexBytes` is 0.
    /// - Throws: `PostgresError`.
    func size(of relation: String) async throws -> RelationSize? {
        let row: [String]?
        do { row = try await connection.rows(LiveDatabase.sizes(relation)).first } catch let error as PostgresError
            where error.state == "55P03"
        {
            row = try await connection.rows(LiveDatabase.catalogSizes(relation)).first
        }
        return row.map { row in
            let numbers = row.map { Int64($0) }
            return RelationSize(
                bytes: numbers[0] ?? 0, indexBytes: numbers[1] ?? 0, indexes: numbers[2] ?? 0, rows: numbers[3])
        }
    }

    private static let indexes = "(SELECT count(*) FROM pg_index WHERE indrelid = c.oid)::text"

    private static func sizes(_ relation: String) -> Statement {
        """
        SELECT ARRAY[CASE WHEN relkind IN ('r', 'm', 'p') THEN pg_table_size(c.oid) ELSE coalesce(pg_relation_size(c.oid), 0) END::text, \
        CASE WHEN relkind IN ('r', 'm') THEN pg_indexes_size(c.oid) ELSE 0 END::text, \(unsafe: indexes), \
        CASE WHEN relkind NOT IN ('r', 'm') OR reltuples < 0 THEN '' WHEN relpages = 0 THEN reltuples::bigint::text \
        ELSE (reltuples / relpages * pg_relation_size(c.oid) / current_setting('block_size')::int)::bigint::text END] \
        FROM pg_class c WHERE c.oid = to_regclass(\(relation))
        """
    }

    private static func catalogSizes(_ relation: String) -> Statement {
        """
        SELECT ARRAY[(relpages::bigint * current_setting('block_size')::int)::text, '0', \(unsafe: indexes), \
        CASE WHEN relkind NOT IN ('r', 'm') OR reltuples < 0 THEN '' ELSE reltuples::bigint::text END] \
        FROM pg_class c WHERE c.oid = to_regclass(\(relation))
        """
    }

    // MARK: Sessions

    /// Returns the locks on tables and indexes that other sessions hold.
    /// - Throws: `PostgresError`.
    func lockHolders() async throws -> [LockHolder] {
        let rows = try await connection.rows(
            """
            SELECT ARRAY[coalesce(pid::text, ''), coalesce(usename::text, backend_type, 'prepared transaction'), \
            coalesce(application_name, gid, ''), coalesce(state, ''), \
            greatest(0, extract(epoch FROM clock_timestamp() - coalesce(xact_start, prepared)))::bigint::text, \
            format('%I.%I', nspname, relname), mode] \
            FROM pg_locks l JOIN pg_class c ON c.oid = relation JOIN pg_namespace n ON n.oid = relnamespace \
            LEFT JOIN pg_stat_activity USING (pid) LEFT JOIN pg_prepared_xacts ON virtualtransaction = '-1/' || transaction \
            WHERE locktype = 'relation' AND granted AND nspname !~ '^pg_' AND pid IS DISTINCT FROM pg_backend_pid() \
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            ORDER BY xact_start, pid, nspname, relname, mode
            """)
        return rows.compactMap { row in
            LockMode(catalogName: row[6]).map { mode in
                LockHolder(
                    pid: Int32(row[0]), user: row[1], application: row[2], state: row[3], age: Int64(row[4]) ?? 0,
                    relation: row[5], mode: mode)
            }
        }
    }

    /// Returns the other sessions that hold a snapshot. Creating or reindexing an index CONCURRENTLY waits for these
    /// sessions, whatever they have locked.
    /// - Throws: `PostgresError`.
    func snapshots() async throws -> [LockHolder] {
        let rows = try await connection.rows(
            """
            SELECT ARRAY[pid::text, coalesce(usename::text, backend_type), coalesce(application_name, ''), coalesce(state, ''), \
            greatest(0, extract(epoch FROM clock_timestamp() - xact_start))::bigint::text] FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL \
            AND backend_type IS DISTINCT FROM 'autovacuum worker' ORDER BY xact_start, pid
            """)
        return rows.map { row in
            LockHolder(
                pid: Int32(row[0]), user: row[1], application: row[2], state: row[3], age: Int64(row[4]) ?? 0,
                relation: nil, mode: nil)
        }
    }

    // MARK: Rows

    /// The estimated number of rows at which a table is too large for its affected rows to be counted. A table of
    /// 500 MB or more is also too large.
    private static let countedRows = 1_000_000

    /// Describes a data loss with the number of affected rows; `nil` if no rows are affected.
    /// - Parameters:
    ///   - loss: the loss.
    ///   - statement: the SQL of the statement that causes it.
    /// - Throws: `PostgresError`.
    func planned(_ loss: DataLoss, by statement: String) async throws -> PlannedLoss? {
        let size = try await size(of: loss.table)
        if case .deleted(let table, _) = loss {
            // For a table that was never analyzed, the planner's number is a default.
            let rows = size?.rows == nil ? nil : try await estimatedRows(of: statement, in: table)
            let number = rows.map { "about \($0)" } ?? "their number is not known"
            return PlannedLoss(text: loss.text(number), rows: rows, isEstimate: true)
        }
        let isSmall = size.map { $0.rows ?? 0 < Self.countedRows && $0.bytes < 500 * Self.countedRows } ?? true
        guard isSmall, let count = try await count(loss) else {
            let number = size?.rows.map { "about \($0)" } ?? "an unknown number of"
            return PlannedLoss(text: loss.text(number), rows: size?.rows, isEstimate: true)
        }
        return count == 0 ? nil : PlannedLoss(text: loss.text(count), rows: count, isEstimate: false)
    }

    /// Returns whether a table has rows; true if the table cannot be read now, false for an index.
    func hasRows(_ relation: String) async throws -> Bool {
        do { return try await connection.script("SELECT FROM \(relation) LIMIT 1").count > 0 } catch let error
            as PostgresError where error.kind == .server
        {
            return error.state != "42809"
        }
    }

    /// Returns the number of affected rows or values; `nil` if the query fails, for example because the table is locked
    /// or not readable, or because the `statement_timeout` expires.
    private func count(_ loss: DataLoss) async throws -> Int64? {
        do {
            var row = try await connection.script(loss.count).row(0)
            return Int64(try row.next(String.self))
        } catch let error as PostgresError where error.kind == .server { return nil }
    }

    /// Returns the number of rows that Postgres expects a DELETE to delete from a table, according to EXPLAIN. `nil` if
    /// EXPLAIN fails, for example because an earlier statement has not run, or if the plan does not begin with a DELETE
    /// from this table, for example because ON DELETE CASCADE deletes the rows.
    private func estimatedRows(of statement: String, in table: String) async throws -> Int64? {
        let plan: [String]
        do { plan = try await connection.script("EXPLAIN VERBOSE \(statement)").texts() } catch let error
            as PostgresError
            where error.kind == .server
        { return nil }
        guard plan.first?.hasPrefix("Delete on \(table) ") == true else { return nil }
        return plan.dropFirst().lazy.compactMap { $0.firstMatch(of: /rows=(\d+)/).flatMap { Int64($0.1) } }.first
    }
}

extension DataLoss {
    /// The affected table.
    var table: String {
        switch self {
        case .table(let table), .truncated(let table), .column(let table, _), .narrowed(let table, _, _, _),
            .deleted(let table, _):
            table
        }
    }
}
