import Postgres
import SQL

/// The properties of the key column of a statement that runs in batches, read from the catalog. All properties are
/// false if the column does not exist.
struct BatchKey {
    var exists = false
    var isNotNull = false
    var isGenerated = false
    /// Whether the key is the first column of a valid, non-partial B-tree index.
    var isIndexed = false
    /// Whether the values of the key are unique.
    var isUnique = false

    /// Returns why a statement cannot run in batches by this key; `nil` if it can. A batch must find its rows through
    /// an index, and no row may be missed.
    func problem(with batches: BatchedStatement) -> String? {
        guard exists else { return "there is no column \(batches.key) of \(batches.table) to batch by" }
        guard isNotNull else { return "batches by \(batches.key) would miss rows: it must be NOT NULL" }
        guard !isGenerated else {
            return "batches by \(batches.key) may miss rows: it is generated, and changes with other columns"
        }
        guard isIndexed else {
            return
                "batches by \(batches.key) would scan all of \(batches.table) each time: a B-tree index must begin "
                + "with it"
        }
        return nil
    }
}

extension Connection {
    /// Reads the properties of a statement's key column.
    /// - Throws: `PostgresError`.
    func batchKey(of batches: BatchedStatement) async throws -> BatchKey {
        let indexes =
            "FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam AND amname = 'btree' "
            + "WHERE indrelid = attrelid AND indisvalid AND indpred IS NULL AND indkey[0] = attnum"
        let result = try await execute(
            """
            SELECT attnotnull, attgenerated <> '', EXISTS (SELECT \(unsafe: indexes)), \
            EXISTS (SELECT \(unsafe: indexes) AND indisunique AND indnkeyatts = 1) FROM pg_attribute \
            WHERE attrelid = to_regclass(\(batches.table)) AND attnum > 0 AND NOT attisdropped \
            AND attname = (parse_ident(\(batches.key)))[1]
            """)
        guard result.count == 1 else { return BatchKey() }
        var row = result.row(0)
        return BatchKey(
            exists: true, isNotNull: try row.next(), isGenerated: try row.next(), isIndexed: try row.next(),
            isUnique: try row.next())
    }
}

extension MigrationSession {
    /// Returns the estimated number of rows of a table, from the planner's statistics.
    func estimatedRows(of table: String) async throws -> Int64 {
        var row = try await connection.execute(
            "SELECT greatest(max(reltuples), 0)::bigint FROM pg_class WHERE oid = to_regclass(\(table))"
        ).row(0)
        return try row.next()
    }
}
