import Postgres
import SQL

extension MigrationSession {
    /// Why a statement cannot run in batches: each must find its rows by an index, and must not miss any.
    func problem(with batches: BatchedStatement) async throws -> String? {
        let result = try await connection.execute(
            """
            SELECT attnotnull, attgenerated <> '', EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisvalid AND indpred IS NULL \
            AND indkey[0] = attnum) FROM pg_attribute WHERE attrelid = to_regclass(\(batches.table)) AND attnum > 0 \
            AND NOT attisdropped AND attname = (parse_ident(\(batches.key)))[1]
            """)
        guard result.count == 1 else { return "there is no column \(batches.key) of \(batches.table) to batch by" }
        var row = result.row(0)
        guard try row.next(Bool.self) else {
            return "batches by \(batches.key) would miss rows: it must be NOT NULL"
        }
        guard try !row.next(Bool.self) else {
            return "batches by \(batches.key) may not end: it is generated, and changes with other columns"
        }
        guard try row.next(Bool.self) else {
            return
                "batches by \(batches.key) would read all of \(batches.table) again and again: an index must begin with it"
        }
        return nil
    }

    /// How many rows a table has, as far as the planner knows.
    func rowsAbout(_ table: String) async throws -> Int64 {
        var row = try await connection.execute(
            "SELECT greatest(max(reltuples), 0)::bigint FROM pg_class WHERE oid = to_regclass(\(table))"
        ).row(0)
        return try row.next()
    }
}
