import Postgres
import SQL

/// The key that a statement runs in batches by, as the catalog has it; nothing is true of a column that is not there.
struct BatchKey {
    var exists = false
    var isNotNull = false
    var isGenerated = false
    /// Whether a valid B-tree index on all rows begins with it.
    var isIndexed = false
    /// Whether each row has another one.
    var isUnique = false

    /// Why a statement cannot run in batches by it: each must find its rows by an index, and must not miss any.
    func problem(with batches: BatchedStatement) -> String? {
        guard exists else { return "there is no column \(batches.key) of \(batches.table) to batch by" }
        guard isNotNull else { return "batches by \(batches.key) would miss rows: it must be NOT NULL" }
        guard !isGenerated else {
            return "batches by \(batches.key) may miss rows: it is generated, and changes with other columns"
        }
        guard isIndexed else {
            return
                "batches by \(batches.key) would read all of \(batches.table) again and again: a B-tree index must begin with it"
        }
        return nil
    }
}

extension Connection {
    /// Reads what a statement runs in batches by.
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
    /// How many rows a table has, as far as the planner knows.
    func rowsAbout(_ table: String) async throws -> Int64 {
        var row = try await connection.execute(
            "SELECT greatest(max(reltuples), 0)::bigint FROM pg_class WHERE oid = to_regclass(\(table))"
        ).row(0)
        return try row.next()
    }
}
