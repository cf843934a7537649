import Postgres
import SQL

/// Detects server-wide statements, which must not run in a scratch database, since scratch databases are on the real
/// server.
extension Revision.Statement {
    /// Whether the statement affects more than its database. Most effects of functions and `DO` blocks are not detected
    /// here; if the statement runs in a transaction, they are detected before the COMMIT.
    var isServerWide: Bool {
        let words = LintedWords(sql)
        let hidden = words.begins("do") && sql.contains(LintedWords.serverFunction)
        return hidden || words.calls(LintedWords.serverFunctions) || words.isAboutRoles || words.isAboutServer
    }

    /// Whether the statement is a `DO` block whose text creates, alters or drops a role.
    var isBlockAboutRoles: Bool {
        LintedWords(sql).begins("do")
            && sql.contains(/(?i)\b(?:create|alter|drop)\s+(?:role|group|user(?!\s+mapping))\b/)
    }

    /// Whether the statement is server-wide and does not concern roles. Changes of roles can be made in a transaction
    /// that is never committed, and later statements may need them.
    var isServerWideExceptRoles: Bool { isServerWide && !LintedWords(sql).isAboutRoles }
}

extension LintedWords {
    fileprivate var isAboutRoles: Bool {
        begins("create|alter|drop role|user|group") && !begins("* user mapping")
            || begins("grant|revoke") && !has("on")
    }

    /// The unquoted name of the role that the statement creates; `nil` for other statements.
    var createdRole: String? {
        droppingPrefix("create role|user|group")?.first.flatMap { DeparsedSQL.names(in: $0).first }
    }

    fileprivate var isAboutServer: Bool {
        if begins("create|alter|drop database|tablespace|system|subscription") { return true }
        if begins("comment on database|role|tablespace|subscription") { return true }
        if begins("security label"), has("on database|role|tablespace|subscription") { return true }
        guard begins("grant|revoke"), let object = after("on database|parameter|tablespace") else { return false }
        // A table may have the name of the keyword.
        return !object.begins("to|from|,")
    }

    /// Functions whose effects a rollback does not revert, or that affect other sessions.
    fileprivate static let serverFunctions: Set<Substring> = [
        "pg_create_physical_replication_slot", "pg_create_logical_replication_slot",
        "pg_copy_physical_replication_slot", "pg_copy_logical_replication_slot", "pg_drop_replication_slot",
        "pg_replication_slot_advance", "pg_replication_origin_create", "pg_replication_origin_drop",
        "pg_replication_origin_advance", "pg_promote", "pg_reload_conf", "pg_cancel_backend", "pg_terminate_backend",
    ]

    fileprivate static var serverFunction: Regex<Substring> {
        /(?i)\bpg_(?:(?:create|copy)_(?:physical|logical)_replication_slot|drop_replication_slot|replication_slot_advance|replication_origin_\w+|promote|reload_conf|cancel_backend|terminate_backend)\b/
    }
}

extension Migrator.Options {
    /// The options for a run in a scratch database.
    static var trial: Migrator.Options {
        var options = Migrator.Options()
        options.isTrial = true
        options.allowsDataLoss = true
        return options
    }
}

extension Connection {
    /// Returns the name of a shared catalog that the open transaction has changed; `nil` if it has changed none, or
    /// only entries of this database.
    /// - Throws: `PostgresError`.
    func serverWideChange() async throws -> String? {
        try await rows(Statement(unsafe: Connection.serverWideChanges)).first?[0]
    }

    /// The query for a shared catalog that the open transaction has changed.
    ///
    /// Some statements hold their lock on a shared catalog until the end of the transaction: they are found by that
    /// lock. Others are found by the rows that they have written: a visible row whose transaction is still in progress
    /// was written by the open transaction or by one of its subtransactions. Only rows with the id of the open
    /// transaction or a higher id are considered, since subtransactions have higher ids.
    private static let serverWideChanges: String = {
        let locked = ["pg_authid", "pg_auth_members", "pg_tablespace", "pg_subscription"].map { "'\($0)'::regclass" }
        let own = "(SELECT oid FROM pg_database WHERE datname = current_database())"
        let written = [
            ("pg_database", "datname <> current_database()"), ("pg_db_role_setting", "setdatabase <> \(own)"),
            ("pg_shdescription", "(classoid, objoid) <> ('pg_database'::regclass, \(own))"),
            ("pg_shseclabel", "(classoid, objoid) <> ('pg_database'::regclass, \(own))"), ("pg_auth_members", "true"),
            ("pg_tablespace", "true"), ("pg_replication_origin", "true"),
        ].map { catalog, condition in
            """
            SELECT '\(catalog)' FROM \(catalog) WHERE \(condition) AND xmin::text::bigint > 2 \
            AND CASE WHEN (xmin::text::bigint - own.xid) & 4294967295 < 2147483648 THEN \
            pg_xact_status((own.xid + ((xmin::text::bigint - own.xid) & 4294967295))::text::xid8) = 'in progress' END
            """
        }
        return """
            WITH own AS MATERIALIZED (SELECT pg_current_xact_id_if_assigned()::text::bigint AS xid) \
            SELECT ARRAY[catalog] FROM (SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() \
            AND locktype = 'relation' AND database = 0 AND mode = 'RowExclusiveLock' \
            AND relation IN (\(locked.joined(separator: ", "))) \
            UNION ALL SELECT changed.catalog FROM own, LATERAL (\(written.joined(separator: " UNION ALL "))) changed (catalog) \
            WHERE own.xid IS NOT NULL) found (catalog) ORDER BY 1 LIMIT 1
            """
    }()
}
