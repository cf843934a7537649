import EventLoop
import Glibc
import Postgres
import SQL

/// The connection on which migrations run, with access to `alembic_version` and to the tool's own tables.
struct MigrationSession {
    let connection: Connection
    let options: Migrator.Options
    /// The schema of the tool's own tables, as a quoted SQL identifier. It is determined when the session starts, since
    /// a revision may change `search_path`.
    private let schema: String

    /// Opens a connection, and determines the schema of the tool's own tables.
    init(
        _ configuration: PostgresConfiguration, _ options: Migrator.Options, log: @escaping (String) -> Void
    ) async throws {
        self.options = options
        connection = try await Connection.open(configuration)
        var row = try await connection.execute(
            """
            SELECT quote_ident(coalesce((SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
            WHERE c.oid = to_regclass('alembic_version')), current_schema(), 'public'))
            """
        ).row(0)
        schema = try row.next()
        connection.onNotice = log
        try await reset()
    }

    /// Resets the session's role and settings, which a revision may have changed.
    func reset() async throws {
        try await connection.script("RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; " + settings)
    }

    /// The statements that configure the session: SQL statements run without a timeout, but wait for table locks no
    /// longer than the options allow.
    private var settings: String {
        """
        SET lock_timeout = \(options.tableLockTimeout.milliseconds); SET statement_timeout = 0; \
        SET idle_in_transaction_session_timeout = 0
        """
    }

    /// The names of the tool's own tables, as a list of SQL literals.
    static let ownTables = "'alembic_version', 'migration_history', 'migration_revision'"

    /// The qualified name of one of the tool's own tables.
    func qualified(_ table: String) -> String { "\(schema).\(table)" }

    // MARK: Versions

    /// Returns the current revisions: the rows of `alembic_version`; none if the table does not exist.
    func versions() async throws -> Set<String> {
        guard try await tableExists("alembic_version") else { return [] }
        let result = try await connection.execute(
            "SELECT version_num::text FROM \(unsafe: qualified("alembic_version"))")
        return try Set(result.texts())
    }

    /// Whether the tool's own table with this name exists.
    func tableExists(_ table: String) async throws -> Bool {
        var row = try await connection.execute("SELECT to_regclass(\(qualified(table))) IS NOT NULL").row(0)
        return try row.next()
    }

    /// Creates Alembic's table exactly as Alembic does, and the tables for the history and the applied revisions,
    /// unless they exist.
    func makeTables() async throws {
        try await connection.script(
            """
            SET client_min_messages = warning;
            CREATE TABLE IF NOT EXISTS \(qualified("alembic_version")) (
                version_num VARCHAR(32) NOT NULL,
                CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
            );
            CREATE TABLE IF NOT EXISTS \(qualified("migration_history")) (
                id bigserial PRIMARY KEY,
                revision text NOT NULL,
                direction text NOT NULL,
                checksum text NOT NULL,
                started_on timestamptz NOT NULL,
                duration_ms bigint NOT NULL,
                db_user text NOT NULL DEFAULT current_user,
                host text NOT NULL,
                program_version text NOT NULL,
                outcome text NOT NULL,
                detail text NOT NULL DEFAULT '',
                progress jsonb
            );
            CREATE TABLE IF NOT EXISTS \(qualified("migration_revision")) (
                revision text PRIMARY KEY,
                breaking text NOT NULL
            );
            RESET client_min_messages
            """)
        // A table that an older program has created lacks the column. The check avoids taking the lock of ALTER
        // TABLE each time.
        let isOld: Statement = """
            SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(\(qualified("migration_history"))) \
            AND attname = 'progress')
            """
        var row = try await connection.execute(isOld).row(0)
        guard try row.next(Bool.self) else { return }
        try await connection.script("ALTER TABLE \(qualified("migration_history")) ADD COLUMN progress jsonb")
    }

    /// Updates `alembic_version`, and throws if a row to replace no longer exists. Also records why applied revisions
    /// are breaking, for older programs that do not have the files of these revisions.
    func move(from old: Set<String>, to new: Set<String>, in graph: RevisionGraph) async throws {
        try await moveVersions(from: old, to: new)
        let applied = try graph.closure(of: new)
        let revisions = graph.revisions.filter { applied.contains($0.id) }
        let reasons = revisions.breakingReasons.sorted { $0.key < $1.key }
        let (ids, texts) = (reasons.map(\.key), reasons.map(\.value))
        _ = try await connection.execute("DELETE FROM \(unsafe: qualified("migration_revision"))")
        _ = try await connection.execute(
            "INSERT INTO \(unsafe: qualified("migration_revision")) SELECT * FROM unnest(\(ids), \(texts))")
    }

    private func moveVersions(from old: Set<String>, to new: Set<String>) async throws {
        let (removed, added) = (old.subtracting(new).sorted(), new.subtracting(old).sorted())
        if removed.count == 1, added.count == 1 {
            let update: Statement = """
                UPDATE \(unsafe: qualified("alembic_version")) SET version_num = \(added[0]) \
                WHERE version_num = \(removed[0])
                """
            return try expectOne(try await connection.execute(update), removed[0])
        }
        for id in removed {
            try expectOne(
                try await connection.execute(
                    "DELETE FROM \(unsafe: qualified("alembic_version")) WHERE version_num = \(id)"),
                id)
        }
        for id in added {
            _ = try await connection.execute(
                "INSERT INTO \(unsafe: qualified("alembic_version")) (version_num) VALUES (\(id))")
        }
    }

    private func expectOne(_ result: Result, _ id: String) throws {
        guard result.affected == 1 else {
            throw MigrationFailed("alembic_version has no row \(id): another session changed it; run the command again")
        }
    }

    // MARK: History

    /// The outcome of a run, as `migration_history` records it.
    enum Outcome: String {
        case applied, undone, stamped, failed
        /// The file was changed after it was applied, and the user accepted the change.
        case accepted
        /// The user reverted an incomplete run manually, and cleared its record.
        case cleared
        /// The run stopped after a commit, and can be resumed.
        case stopped
        /// The run stopped in a statement whose effect is unknown, usually one outside a transaction.
        case halfway
    }

    /// Inserts a row into `migration_history`.
    /// - Returns: The row's id.
    @discardableResult func record(
        _ revision: Revision, _ direction: String, since start: Instant, _ outcome: Outcome, detail: String = "",
        _ progress: Progress? = nil
    ) async throws -> Int64 {
        let position = progress?.position ?? Position()
        let milliseconds = Instant.now.duration(since: start).milliseconds
        let statement: Statement = """
            INSERT INTO \(unsafe: qualified("migration_history")) (revision, direction, checksum, started_on, duration_ms, host, program_version, \
            outcome, detail, progress) VALUES (\(revision.id), \(direction), encode(sha256(convert_to(\(revision.checksumText), 'UTF8')), 'hex'), \
            clock_timestamp() - \(milliseconds) * interval '1 millisecond', \(milliseconds), \(hostName()), \
            \(options.programVersion), \(outcome.rawValue), \(detail), CASE WHEN \(progress != nil) THEN jsonb_build_object(\
            'statements', \(Int64(position.statements)), 'key', \(position.key as String?), 'end', \(position.end as String?), 'rows', \(position.rows), \
            'done', \(progress?.done ?? "")) END) RETURNING id
            """
        var row = try await connection.execute(statement).row(0)
        return try row.next()
    }

    /// Returns the revisions whose files have changed since they were applied. Replacing a file with a
    /// baseline (`Squash`) does not count as a change.
    func changed(_ revisions: [Revision]) async throws -> [Revision] {
        guard try await tableExists("migration_history") else { return [] }
        var changed: [Revision] = []
        for revision in revisions {
            let statement: Statement = """
                SELECT checksum IN (SELECT encode(sha256(convert_to(text, 'UTF8')), 'hex') FROM unnest(\(revision.checksumCandidates)) text) \
                OR checksum = \(revision.replacement.checksum ?? "") FROM \(unsafe: qualified("migration_history")) \
                WHERE revision = \(revision.id) AND outcome IN ('applied', 'stamped', 'accepted') ORDER BY id DESC LIMIT 1
                """
            let result = try await connection.execute(statement)
            guard result.count == 1 else { continue }
            var row = result.row(0)
            if try !row.next(Bool.self) { changed.append(revision) }
        }
        return changed
    }

    /// Records the current checksums of these revisions as accepted.
    func accept(_ revisions: [Revision]) async throws {
        for revision in revisions { try await record(revision, "accept", since: .now, .accepted) }
    }

    /// Returns the process id of the session's server process.
    func pid() async throws -> Int32 {
        var row = try await connection.execute("SELECT pg_backend_pid()").row(0)
        return try row.next()
    }

    // MARK: CONCURRENTLY

    /// Executes a statement outside a transaction. For a statement with CONCURRENTLY, which waits for other
    /// transactions to end, `lock_timeout` is disabled. If this or an earlier attempt to create an index leaves an
    /// invalid index, that index is dropped, so that the statement can be retried.
    func runOutside(_ sql: String) async throws {
        let words = LintedWords(sql)
        if words.has("concurrently") { try await connection.script("SET lock_timeout = 0") }
        let index = words.concurrentlyCreatedIndex
        if let index { try await dropInvalidIndex(index.name, of: index.table) }
        do { try await connection.script(sql) } catch {
            if let index, connection.isOpen { try await dropInvalidIndex(index.name, of: index.table) }
            if connection.isOpen { try await reset() }
            throw error
        }
        try await reset()
    }

    /// Drops an invalid index that an earlier attempt has left.
    private func dropInvalidIndex(_ name: String, of table: String) async throws {
        let result = try await connection.execute(
            """
            SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
            WHERE \(unsafe: SchemaDefects.isInvalidIndex) AND indrelid = to_regclass(\(table)) \
            AND relname = (parse_ident(\(name)))[1]
            """)
        for index in try result.texts() { try await connection.script("DROP INDEX CONCURRENTLY IF EXISTS \(index)") }
    }

    /// Whether an interrupted statement creates a named index CONCURRENTLY, and that index does not exist or is
    /// invalid, so that the statement can be retried.
    func canRetryIndexCreation(_ statement: Revision.Statement) async throws -> Bool {
        guard let (name, table) = LintedWords(statement.sql).concurrentlyCreatedIndex else { return false }
        let result = try await connection.execute(
            """
            SELECT NOT EXISTS (SELECT FROM pg_class \
            WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass(\(table))) \
            AND relname = (parse_ident(\(name)))[1] AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = pg_class.oid \
            AND indrelid = to_regclass(\(table)) AND \(unsafe: SchemaDefects.isInvalidIndex)))
            """)
        var row = result.row(0)
        return try row.next()
    }

    /// Returns the names of invalid indexes (PostgreSQL manual, CREATE INDEX, "Building Indexes Concurrently").
    func invalidIndexes() async throws -> [String] {
        try await connection.execute(
            """
            SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
            WHERE \(unsafe: SchemaDefects.isInvalidIndex) ORDER BY 1
            """
        ).texts()
    }
}

extension LintedWords {
    /// The name and the table of an index that the statement creates CONCURRENTLY; `nil` for other statements, and for
    /// an index without a name.
    fileprivate var concurrentlyCreatedIndex: (name: String, table: String)? {
        guard let words = droppingPrefix("create [unique] index concurrently [if] [not] [exists]"),
            let name = words.first, name != "on", let table = words.after("on")?.droppingPrefix("[only]")?.first
        else { return nil }
        return (name, table)
    }
}

extension Result {
    /// Returns the values of the first column, as text.
    func texts() throws -> [String] {
        try (0..<count).map { index in
            var row = row(index)
            return try row.next()
        }
    }
}

extension Duration {
    /// The duration in whole milliseconds, rounded towards zero.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

private func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    gethostname(&buffer, buffer.count - 1)
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
