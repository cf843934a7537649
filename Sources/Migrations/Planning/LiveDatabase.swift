import Postgres
import SQL

/// The database that an upgrade is planned for. Nothing is changed in it.
struct LiveDatabase {
    private let connection: Connection

    /// Opens a read-only session that does not wait long for anybody.
    /// - Throws: `PostgresError`.
    init(_ configuration: PostgresConfiguration) async throws {
        connection = try await Connection.open(configuration)
        try await connection.script(
            "SET default_transaction_read_only = on; SET lock_timeout = 200; SET statement_timeout = 60000")
    }

    func close() { connection.close() }

    /// What the catalog says; `nil` when somebody has locked a table that its definitions name.
    /// - Throws: `PostgresError`.
    func catalog() async throws -> Catalog? {
        do { return try await Catalog(reading: connection) } catch let error as PostgresError
            where error.state == "55P03"
        {
            return nil
        }
    }

    // MARK: Sizes

    /// The size of a table or an index; `nil` when there is none of this name. One that is locked has the size that the last VACUUM or
    /// ANALYZE saw.
    /// - Throws: `PostgresError`.
    func size(of relation: String) async throws -> RelationSize? {
        let row: [String]?
        do { row = try await connection.rows(LiveDatabase.sizes(relation)).first } catch let error as PostgresError
            where error.state == "55P03"
        {
            row = try await connection.rows(LiveDatabase.seenSizes(relation)).first
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

    private static func seenSizes(_ relation: String) -> Statement {
        """
        SELECT ARRAY[(relpages::bigint * current_setting('block_size')::int)::text, '0', \(unsafe: indexes), \
        CASE WHEN relkind NOT IN ('r', 'm') OR reltuples < 0 THEN '' ELSE reltuples::bigint::text END] \
        FROM pg_class c WHERE c.oid = to_regclass(\(relation))
        """
    }

    // MARK: Sessions

    /// The locks on tables and indexes that other sessions hold now.
    /// - Throws: `PostgresError`.
    func lockHolders() async throws -> [LockHolder] {
        let rows = try await connection.rows(
            """
            SELECT ARRAY[coalesce(pid::text, ''), coalesce(usename::text, backend_type, 'prepared transaction'), \
            coalesce(application_name, ''), coalesce(state, ''), \
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

    /// The sessions with a snapshot, which what makes an index CONCURRENTLY waits for, whatever they have locked.
    /// - Throws: `PostgresError`.
    func snapshots() async throws -> [LockHolder] {
        let rows = try await connection.rows(
            """
            SELECT ARRAY[pid::text, coalesce(usename::text, backend_type), coalesce(application_name, ''), coalesce(state, ''), \
            greatest(0, extract(epoch FROM clock_timestamp() - xact_start))::bigint::text] FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL \
            AND backend_type <> 'autovacuum worker' ORDER BY xact_start, pid
            """)
        return rows.map { row in
            LockHolder(
                pid: Int32(row[0]), user: row[1], application: row[2], state: row[3], age: Int64(row[4]) ?? 0,
                relation: nil, mode: nil)
        }
    }

    // MARK: Rows

    /// Tables of more rows are not counted.
    private static let countedRows = 1_000_000

    /// What is lost, with the number of rows; `nil` when there are none.
    /// - Parameter statement: what loses it.
    /// - Throws: `PostgresError`.
    func planned(_ loss: Loss, by statement: String) async throws -> PlannedLoss? {
        let size = try await size(of: loss.table)
        if case .deleted(let table, _) = loss {
            // Postgres makes a number up for a table that nobody has analyzed.
            let rows = size?.rows == nil ? nil : try await estimatedRows(of: statement, in: table)
            let number = rows.map { "about \($0)" } ?? "their number is not known"
            return PlannedLoss(text: loss.text(number), rows: rows, isEstimate: true)
        }
        let isSmall = size.map { $0.rows ?? 0 < Self.countedRows && $0.bytes < 500 * Self.countedRows } ?? true
        guard isSmall, let count = try await count(loss) else {
            let number = size?.rows.map { "about \($0)" } ?? "nobody knows how many"
            return PlannedLoss(text: loss.text(number), rows: size?.rows, isEstimate: true)
        }
        return count == 0 ? nil : PlannedLoss(text: loss.text(count), rows: count, isEstimate: false)
    }

    /// Whether a table has rows, as one has that cannot be read now; an index has none.
    func hasRows(_ relation: String) async throws -> Bool {
        do { return try await connection.script("SELECT FROM \(relation) LIMIT 1").count > 0 } catch let error
            as PostgresError where error.kind == .server
        {
            return error.state != "42809"
        }
    }

    /// The number, counted; `nil` when it cannot be: the table is locked, or may not be read.
    private func count(_ loss: Loss) async throws -> Int64? {
        do {
            var row = try await connection.script(loss.count).row(0)
            return Int64(try row.next(String.self))
        } catch let error as PostgresError where error.kind == .server { return nil }
    }

    /// The number of rows that the planner expects a DELETE to delete; `nil` when it can say nothing about it, since what stands before it
    /// has not been run, or the rows go with others (`ON DELETE CASCADE`).
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

extension Loss {
    /// The table that loses it.
    var table: String {
        switch self {
        case .table(let table), .truncated(let table), .column(let table, _), .narrowed(let table, _, _, _),
            .deleted(let table, _):
            table
        }
    }
}
