import Postgres
import SQL

/// A temporary database for testing revisions. It is dropped afterwards, also when the task is cancelled.
struct ScratchDatabase {
    private let server: Connection
    private let name: String

    /// Runs `body` with a new database on the configured server. Scratch databases that earlier runs left more than an
    /// hour ago are dropped first.
    /// - Throws: The error of `body`, `PostgresError`; `MigrationFailed` if the role may not create databases, or the
    ///   server is read-only.
    static func with<Value: Sendable>(
        _ configuration: PostgresConfiguration, _ body: (PostgresConfiguration) async throws -> Value
    ) async throws -> Value {
        let server = try await Connection.open(configuration)
        defer { server.close() }
        // Creating and dropping a database takes longer than the configured statement timeout.
        try await server.script("SET statement_timeout = 0; SET client_min_messages = error")
        let database = try await ScratchDatabase(on: server)
        var scratch = configuration
        scratch.database = database.name
        scratch.statementTimeout = .seconds(60)
        do {
            try Task.checkCancellation()
            let value = try await ScratchDatabase.connected(to: scratch, body)
            try await database.drop()
            return value
        } catch {
            try? await database.drop()
            throw error
        }
    }

    /// Keeps a connection to the database open while `body` runs, so that no other process drops it.
    private static func connected<Value: Sendable>(
        to scratch: PostgresConfiguration, _ body: (PostgresConfiguration) async throws -> Value
    ) async throws -> Value {
        let keeper = try await Connection.open(scratch)
        defer { keeper.close() }
        return try await body(scratch)
    }

    private init(on server: Connection) async throws {
        self.server = server
        try await ScratchDatabase.sweep(server)
        // The name contains the creation time by the server's clock, from which its age is computed.
        let query: Statement = """
            SELECT ARRAY['aktify_scratch_' || extract(epoch FROM now())::bigint || '_' || substr(md5(random()::text), 1, 12), \
            quote_ident(current_user), \(unsafe: ScratchDatabase.locale)] FROM pg_database d WHERE datname = current_database()
            """
        let row = try await server.rows(query)[0]
        name = row[0]
        do { try await server.script("CREATE DATABASE \(name) TEMPLATE template0 \(row[2])") } catch let error
            as PostgresError
            where error.state == "42501" || error.state == "25006"
        {
            throw MigrationFailed(
                "cannot create a scratch database: \(error.message): run it on the primary, as a role that has the "
                    + "right to: ALTER ROLE \(row[1]) CREATEDB")
        }
    }

    /// The SQL expression for the CREATE DATABASE options that give the scratch database the encoding and the locale of
    /// the configured database. The names of the catalog's columns depend on the version of Postgres.
    private static let locale = """
        concat_ws(' ', 'ENCODING', quote_literal(pg_encoding_to_char(encoding)), 'LC_COLLATE', quote_literal(datcollate), \
        'LC_CTYPE', quote_literal(datctype), CASE to_jsonb(d) ->> 'datlocprovider' WHEN 'c' THEN 'LOCALE_PROVIDER libc' \
        WHEN 'i' THEN 'LOCALE_PROVIDER icu ICU_LOCALE ' || quote_literal(coalesce(to_jsonb(d) ->> 'datlocale', \
        to_jsonb(d) ->> 'daticulocale')) WHEN 'b' THEN 'LOCALE_PROVIDER builtin BUILTIN_LOCALE ' \
        || quote_literal(to_jsonb(d) ->> 'datlocale') END, 'ICU_RULES ' || quote_literal(to_jsonb(d) ->> 'daticurules'))
        """

    /// Drops the database, and terminates the sessions in it. If the role may not terminate sessions of other roles
    /// (an autovacuum worker, a monitor), drops the database without FORCE: the server then stops autovacuum workers
    /// itself, and waits up to five seconds for other sessions to end.
    private func drop() async throws {
        do { try await server.script("DROP DATABASE IF EXISTS \(name) WITH (FORCE)") } catch let error as PostgresError
            where error.state == "42501"
        { try await server.script("DROP DATABASE IF EXISTS \(name)") }
    }

    /// Drops scratch databases that killed processes have left: those that are older than an hour and have no
    /// connections. Databases of other roles are not dropped.
    private static func sweep(_ server: Connection) async throws {
        let query: Statement = """
            SELECT ARRAY[datname::text] FROM pg_database WHERE datname ~ '^aktify_scratch_[0-9]{1,12}_[0-9a-f]+$' \
            AND split_part(datname, '_', 3)::bigint < extract(epoch FROM now()) - 3600 \
            AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname) \
            AND pg_has_role(datdba, 'USAGE')
            """
        for row in try await server.rows(query) {
            _ = try? await server.script("DROP DATABASE IF EXISTS \(row[0])")
        }
    }
}
