import EventLoop
import Postgres

/// Measures the server's speed on a sample table in a scratch database.
struct Calibration {
    private let connection: Connection

    /// Measures the speeds.
    /// - Throws: `PostgresError`.
    static func speeds(in scratch: PostgresConfiguration) async throws -> Speeds {
        let connection = try await Connection.open(scratch)
        defer { connection.close() }
        return try await Calibration(connection: connection).speeds()
    }

    private func speeds() async throws -> Speeds {
        try await connection.script(
            """
            SET statement_timeout = 0; SET max_parallel_workers_per_gather = 0; SET max_parallel_maintenance_workers = 0;
            CREATE SCHEMA aktify_calibration;
            CREATE TABLE aktify_calibration.sample AS SELECT n, md5(n::text) AS text, repeat('x', 60) AS filler
            FROM generate_series(1, 100000) n;
            SELECT count(*) FROM aktify_calibration.sample
            """)
        var row = try await connection.script("SELECT pg_relation_size('aktify_calibration.sample')::text").row(0)
        let bytes = Double(try row.next(String.self)) ?? 0
        let speeds = Speeds(
            scan: bytes / (try await seconds("SELECT count(*) FROM aktify_calibration.sample WHERE n IS NULL")),
            rewrite: bytes / (try await seconds("ALTER TABLE aktify_calibration.sample ALTER n TYPE bigint")),
            build: bytes / (try await seconds("CREATE INDEX ON aktify_calibration.sample (n, text)")),
            update: bytes / (try await seconds("UPDATE aktify_calibration.sample SET n = n")))
        try await connection.script("DROP SCHEMA aktify_calibration CASCADE")
        return speeds
    }

    private func seconds(_ sql: String) async throws -> Double {
        let start = Instant.now
        try await connection.script(sql)
        let (seconds, attoseconds) = Instant.now.duration(since: start).components
        return max(1e-4, Double(seconds) + Double(attoseconds) / 1e18)
    }
}
