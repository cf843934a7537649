import Postgres
import SQL

/// The observed effects of a statement in a scratch database, with the names of the real database.
struct Observation {
    var locks: [PlannedLock] = []
    var effects: [PlannedEffect] = []
    var losses: [DataLoss] = []
    /// The tables from which the statement may delete rows although it deleted none of their sample rows; empty if the
    /// tables are unknown, `nil` if nothing indicates such a deletion.
    var mayDelete: [String]?
    /// Why the statement was not run; `nil` if it was.
    var doubt: String?
}

/// Runs statements in a scratch database, and observes their locks, effects and data losses.
///
/// In one transaction, a lock is observed only for the first statement that takes it. So the statements are first run
/// in one transaction, as in an upgrade, and rolled back; then each is observed in a separate transaction, if possible.
struct StatementObserver {
    /// The failure of a statement.
    struct Failure: Error {
        let error: PostgresError
        /// The observations of the statements before the failed one.
        let observations: [Observation]

        /// Whether the failure is caused by the rows (SQLSTATE class 22 or 23).
        var isAboutRows: Bool { error.state.map { ["22", "23"].contains($0.classCode) } ?? false }
    }

    let connection: Connection
    private let scratch: PostgresConfiguration
    private let origin: DataSnapshot
    /// The names that the relations have in the real database, by their oids in the scratch database.
    private var names: [Int64: String]
    /// The table that each index belongs to, by index name; both are names in the real database.
    private let tables: [String: String]
    /// Whether the transaction must stay open and must not be committed, because it has changed shared catalogs.
    private var keepsTransactionOpen = false

    /// Creates an observer for a scratch database that has the same schema as the real one.
    /// - Throws: `PostgresError`.
    init(_ scratch: PostgresConfiguration) async throws {
        self.scratch = scratch
        connection = try await Connection.open(scratch)
        origin = try await connection.dataSnapshot()
        let relations = try await RelationSnapshot(reading: connection).relations
        names = relations.mapValues(\.name)
        tables = relations.values.reduce(into: [:]) { $0[$1.name] = relations[$1.table]?.name }
        try await reset()
    }

    /// Resets the session's role and settings, which a revision may have changed.
    func reset() async throws {
        try await connection.script(
            """
            RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; SET statement_timeout = 0; \
            SET idle_in_transaction_session_timeout = 0
            """)
    }

    /// Inserts sample rows into empty tables.
    func fill() async throws { if !keepsTransactionOpen { try await SampleRows(connection: connection).fill() } }

    /// Empties all tables, unless the transaction must remain open.
    /// - Returns: Whether the tables were emptied.
    func clear() async throws -> Bool {
        if !keepsTransactionOpen { try await SampleRows(connection: connection).clear() }
        return !keepsTransactionOpen
    }

    // MARK: Observing

    /// Observes statements that form one transaction in an upgrade, or a single one that runs outside a transaction.
    /// - Throws: `Failure`; `MigrationFailed` if the connection is lost; `PostgresError`.
    mutating func observe(_ statements: [Revision.Statement]) async throws -> [Observation] {
        if statements[0].isOutside { return [try await outside(statements[0])] }
        guard canRunSeparately(statements) else { return try await together(statements) }
        let rehearsed = try await together(statements, keeping: false)
        return keepsTransactionOpen ? rehearsed : try await oneByOne(statements)
    }

    /// Repeats the observation of the statements before a failed one, each in a separate transaction if possible, so
    /// that all locks of each statement are observed.
    /// - Throws: `MigrationFailed` if the connection is lost; `PostgresError`.
    mutating func observe(before failure: Failure, in statements: [Revision.Statement]) async throws -> [Observation] {
        guard canRunSeparately(statements) else { return failure.observations }
        do { return try await oneByOne(Array(statements.prefix(failure.observations.count))) } catch is Failure {
            return failure.observations
        }
    }

    /// Whether each statement can run in its own transaction.
    private func canRunSeparately(_ statements: [Revision.Statement]) -> Bool {
        statements.count > 1 && !keepsTransactionOpen && !statements.contains(where: \.dependsOnTransaction)
    }

    /// Observes each statement in its own transaction.
    private mutating func oneByOne(_ statements: [Revision.Statement]) async throws -> [Observation] {
        var observations: [Observation] = []
        while observations.count < statements.count {
            let rest = Array(statements[observations.count...])
            do { observations += try await together([rest[0]]) } catch is Failure {
                // The statement depends on later statements of its transaction.
                do { observations += try await together(rest) } catch let failure as Failure {
                    throw Failure(error: failure.error, observations: observations + failure.observations)
                }
            }
        }
        return observations
    }

    /// Observes statements in one transaction; a lock is attributed to the first statement that takes it.
    /// - Parameter keeping: whether the transaction is committed, not rolled back. A transaction that changes shared
    ///   catalogs is left open in either case.
    private mutating func together(
        _ statements: [Revision.Statement], keeping: Bool = true
    ) async throws -> [Observation] {
        try await connection.script(keepsTransactionOpen ? "SAVEPOINT aktify_plan" : "BEGIN")
        let old = names
        var observations: [Observation] = []
        do {
            for statement in statements {
                observations.append(try await observation(of: statement))
            }
            keepsTransactionOpen = try await connection.serverWideChange() != nil
            if !keepsTransactionOpen { try await connection.script(keeping ? "COMMIT" : "ROLLBACK") }
            if !keepsTransactionOpen, !keeping { names = old }
        } catch let error as PostgresError {
            guard error.kind == .server else { throw StatementObserver.lost(error) }
            names = old
            if connection.isInTransaction {
                try await connection.script(keepsTransactionOpen ? "ROLLBACK TO aktify_plan" : "ROLLBACK")
            }
            // A failure of the COMMIT is attributed to the last statement.
            throw Failure(error: error, observations: Array(observations.prefix(statements.count - 1)))
        }
        return observations
    }

    private mutating func observation(of statement: Revision.Statement) async throws -> Observation {
        if statement.isServerWideExceptRoles { return Observation(doubt: "not run: it affects the whole server") }
        let (before, heldLocks) = (try await RelationSnapshot(reading: connection), try await locks())
        let dataBefore = try await connection.dataSnapshot()
        // With a single row, the planner would choose a sequential scan where it uses an index for many rows.
        if statement.isQuery { try await connection.script("SET LOCAL enable_seqscan = off") }
        try await connection.script(statement.sql)
        if statement.isQuery { try await connection.script("SET LOCAL enable_seqscan = on") }
        let locks = try await locks().subtracting(heldLocks)
        return try await observation(since: before, dataBefore, Array(locks), statement, counts: true)
    }

    private mutating func observation(
        since before: RelationSnapshot, _ dataBefore: DataSnapshot, _ locks: [PlannedLock],
        _ statement: Revision.Statement,
        counts: Bool
    ) async throws -> Observation {
        let after = try await RelationSnapshot(reading: connection)
        var effects = after.effects(since: before, names, counts: counts)
        // A statement that matches no sample row may match rows of the real database.
        if LintedStatement(statement).words.begins("delete|merge|update") {
            let targets = locks.filter { $0.mode == .rowExclusive }.map(\.relation)
            effects += tables(named: targets, in: before).map(PlannedEffect.changesRows).filter {
                !effects.contains($0)
            }
        }
        let losses = try await losses(since: dataBefore, effects) + deletions(since: before, after, effects, statement)
        let mayDelete = try await unseenDeletions(of: statement, locks, losses, in: before)
        names.merge(after.successors(since: before, names)) { $1 }
        return Observation(locks: locks.strongest, effects: effects, losses: losses, mayDelete: mayDelete)
    }

    /// Returns the locks that the session holds.
    private func locks() async throws -> Set<PlannedLock> {
        let rows = try await connection.rows(
            """
            SELECT ARRAY[relation::text, mode] FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """)
        return Set(rows.compactMap(lock))
    }

    /// Parses a row of `pg_locks`; `nil` if the relation does not exist in the real database.
    private func lock(_ row: [String]) -> PlannedLock? {
        guard let name = Int64(row[0]).flatMap({ names[$0] }), let mode = LockMode(catalogName: row[1]) else {
            return nil
        }
        return PlannedLock(relation: name, mode: mode, table: tables[name])
    }

    // MARK: Outside transactions

    /// Observes a statement that an upgrade runs outside a transaction. In the scratch database, the statement is run
    /// in a transaction if possible.
    private mutating func outside(_ statement: Revision.Statement) async throws -> Observation {
        do { return try await together([statement])[0] } catch let failure as Failure {
            guard failure.error.state == "25001" || failure.error.state == "2D000" else { throw failure }
        }
        guard !keepsTransactionOpen else {
            return Observation(
                doubt: "not run, since another statement has changed a catalog that the whole server shares")
        }
        let before = try await RelationSnapshot(reading: connection)
        let dataBefore = try await connection.dataSnapshot()
        let tables = before.relations.filter { names[$0.key] != nil && ["r", "p"].contains($0.value.kind) }
        let gate = LockGate(scratch, tables: tables.values.map(\.name))
        do {
            let locks = try await gate.locks(of: connection) { try await connection.script(statement.sql) }
            return try await observation(since: before, dataBefore, locks.compactMap(lock), statement, counts: false)
        } catch let error as PostgresError {
            guard error.kind == .server else { throw StatementObserver.lost(error) }
            throw Failure(error: error, observations: [])
        }
    }

    /// Returns the error for a lost connection, which does not count as a failure of the statement.
    private static func lost(_ error: PostgresError) -> MigrationFailed {
        MigrationFailed("the connection to the server was lost, and there is no plan: \(error)")
    }

    // MARK: Data loss

    /// Returns the data lost since an earlier snapshot.
    private func losses(since before: DataSnapshot, _ effects: [PlannedEffect]) async throws -> [DataLoss] {
        var now = try await connection.dataSnapshot()
        for (id, name) in names where effects.contains(.truncates(name)) { now.tables[id]?.isEmpty = true }
        var old = before
        // Only tables and columns that exist in the real database can lose data. They are reported with their names in
        // the real database.
        old.tables = before.tables.reduce(into: [:]) { tables, entry in
            guard let table = origin.tables[entry.key] else { return }
            tables[entry.key] = entry.value
            tables[entry.key]?.name = table.name
            tables[entry.key]?.columns = entry.value.columns.reduce(into: [:]) { columns, column in
                guard let name = table.columns[column.key]?.name else { return }
                columns[column.key] = DataSnapshot.Column(name: name, type: column.value.type)
            }
        }
        return old.losses(comparedWith: now)
    }

    /// Returns the tables from which a statement deletes rows.
    private func deletions(
        since before: RelationSnapshot, _ after: RelationSnapshot, _ effects: [PlannedEffect],
        _ statement: Revision.Statement
    ) -> [DataLoss] {
        let isDeletion = LintedStatement(statement).words.begins("delete")
        let changed = names.filter { effects.contains(.changesRows($0.value)) }.sorted { $0.value < $1.value }
        return changed.compactMap { id, name in
            let rows = (after.relations[id]?.deleted ?? 0) - (before.relations[id]?.deleted ?? 0)
            return isDeletion || rows > 0 ? .deleted(table: name, rows: rows) : nil
        }
    }

    /// Returns the tables from which a statement may delete rows although it deleted none of their sample rows. The
    /// result is empty if the statement may call code that deletes rows, but locked no table for writing; `nil` if
    /// nothing indicates an unobserved deletion.
    private func unseenDeletions(
        of statement: Revision.Statement, _ locks: [PlannedLock], _ losses: [DataLoss], in snapshot: RelationSnapshot
    ) async throws -> [String]? {
        let words = LintedWords(statement.sql)
        let isQuery = words.has("delete from") || words.has("then delete")
        let isDeletion = words.begins("delete") || !words.begins("call|do|merge|select|with")
        guard !isDeletion else { return nil }
        if !isQuery, try await !containsDeletion(statement.sql, words) { return nil }
        let locked = locks.filter { [.rowExclusive, .accessExclusive].contains($0.mode) }.map(\.relation)
        let known = losses.map(\.table)
        let tables = tables(named: locked, in: snapshot).filter { !known.contains($0) }
        return tables.isEmpty && (isQuery || !losses.isEmpty) ? nil : tables
    }

    /// Whether the statement may call code that deletes rows. True for a `DO` block that contains DELETE or TRUNCATE.
    /// Also true for a statement that contains the name of a user-defined function, if that function or another
    /// user-defined function contains DELETE or TRUNCATE.
    private func containsDeletion(_ sql: String, _ words: LintedWords) async throws -> Bool {
        if words.begins("do"), sql.contains(/(?i)\b(?:delete|truncate)\b/) { return true }
        let rows = try await connection.rows(
            """
            SELECT ARRAY['x'] FROM pg_proc named, pg_proc deleting WHERE named.oid >= 16384 AND deleting.oid >= 16384 \
            AND strpos(lower(\(sql)), lower(named.proname)) > 0 AND deleting.prosrc ~* '\\m(delete|truncate)\\M' LIMIT 1
            """)
        return !rows.isEmpty
    }

    private func tables(named wanted: [String], in snapshot: RelationSnapshot) -> [String] {
        names.filter { wanted.contains($0.value) && ["r", "p"].contains(snapshot.relations[$0.key]?.kind) }
            .map(\.value).sorted()
    }
}

extension Revision.Statement {
    /// Whether Postgres's planner makes a plan for the statement.
    fileprivate var isQuery: Bool { LintedWords(sql).begins("delete|insert|merge|select|update|with") }

    /// Whether the statement's effect depends on other statements of its transaction.
    fileprivate var dependsOnTransaction: Bool {
        LintedWords(sql).has("local|savepoint|rollback|temporary|temp|deferred|immediate|declare")
    }
}
