import Postgres
import SQL

/// What a statement was seen to do in a scratch database; names are those of the real one.
struct Observation {
    var locks: [PlannedLock] = []
    var effects: [PlannedEffect] = []
    var losses: [Loss] = []
    /// The tables of which it may delete rows, though none of those that were made up; `nil` when nothing hints at that.
    var mayDelete: [String]?
    /// Why it was not run, when it was not.
    var doubt: String?
}

/// Runs statements in a scratch database, and looks from inside their transactions at what each does.
///
/// A statement's locks stay until its transaction ends, and hide those of the next ones. So each is observed in a transaction of its own,
/// once all of them have been run, and rolled back, in one, as an upgrade runs them.
struct StatementObserver {
    /// A statement that fails.
    struct Failure: Error {
        let error: PostgresError
        /// Those before it.
        let observations: [Observation]

        /// Whether it is about the rows.
        var isAboutRows: Bool { error.state.map { ["22", "23"].contains($0.classCode) } ?? false }
    }

    let connection: Connection
    private let scratch: PostgresConfiguration
    private let origin: Holdings
    /// The names in the real database of the relations that it has, by their ids in the scratch database.
    private var names: [Int64: String]
    /// The tables of the indexes, both by their names in the real database.
    private let tables: [String: String]
    /// Whether a transaction stays open to the end, since it changes what all databases of the server share.
    private var isHeld = false

    /// Makes one, of a scratch database that is like the real one now.
    /// - Throws: `PostgresError`.
    init(_ scratch: PostgresConfiguration) async throws {
        self.scratch = scratch
        connection = try await Connection.open(scratch)
        origin = try await connection.holdings()
        let relations = try await RelationSnapshot(reading: connection).relations
        names = relations.mapValues(\.name)
        tables = relations.values.reduce(into: [:]) { $0[$1.name] = relations[$1.table]?.name }
        try await reset()
    }

    /// Gives the session back its role and settings, which a revision may have changed.
    func reset() async throws {
        try await connection.script(
            """
            RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; SET statement_timeout = 0; \
            SET idle_in_transaction_session_timeout = 0
            """)
    }

    /// Fills the tables that are empty.
    func fill() async throws { if !isHeld { try await SampleRows(connection: connection).fill() } }

    /// Empties all tables.
    /// - Returns: whether it could.
    func clear() async throws -> Bool {
        if !isHeld { try await SampleRows(connection: connection).clear() }
        return !isHeld
    }

    // MARK: Observing

    /// Observes statements that are one transaction in an upgrade, or one that runs outside.
    /// - Throws: `Failure`, `PostgresError`.
    mutating func observe(_ statements: [Revision.Statement]) async throws -> [Observation] {
        if statements[0].isOutside { return [try await outside(statements[0])] }
        guard canStandAlone(statements) else { return try await together(statements) }
        let rehearsed = try await together(statements, keeping: false)
        return isHeld ? rehearsed : try await oneByOne(statements)
    }

    /// Observes again, one by one, the statements before the one that fails: in one transaction the locks of each hide those of the next.
    /// - Throws: `PostgresError`.
    mutating func observe(before failure: Failure, in statements: [Revision.Statement]) async throws -> [Observation] {
        guard canStandAlone(statements) else { return failure.observations }
        do { return try await oneByOne(Array(statements.prefix(failure.observations.count))) } catch is Failure {
            return failure.observations
        }
    }

    private func canStandAlone(_ statements: [Revision.Statement]) -> Bool {
        statements.count > 1 && !isHeld && !statements.contains(where: \.needsItsTransaction)
    }

    private mutating func oneByOne(_ statements: [Revision.Statement]) async throws -> [Observation] {
        var observations: [Observation] = []
        while observations.count < statements.count {
            let rest = Array(statements[observations.count...])
            do { observations += try await together([rest[0]]) } catch is Failure {
                // It needs what stands behind it in its transaction.
                do { observations += try await together(rest) } catch let failure as Failure {
                    throw Failure(error: failure.error, observations: observations + failure.observations)
                }
            }
        }
        return observations
    }

    /// Runs statements in one transaction; a lock is told of the first that takes it.
    /// - Parameter keeping: whether it is committed. One that changes what all databases share is neither committed nor rolled back.
    private mutating func together(
        _ statements: [Revision.Statement], keeping: Bool = true
    ) async throws -> [Observation] {
        try await connection.script(isHeld ? "SAVEPOINT aktify_plan" : "BEGIN")
        let old = names
        var observations: [Observation] = []
        do {
            for statement in statements {
                observations.append(try await observation(of: statement))
            }
            isHeld = try await connection.serverWideChange() != nil
            if !isHeld { try await connection.script(keeping ? "COMMIT" : "ROLLBACK") }
            if !isHeld, !keeping { names = old }
        } catch let error as PostgresError {
            guard error.kind == .server else { throw StatementObserver.lost(error) }
            names = old
            if connection.isInTransaction {
                try await connection.script(isHeld ? "ROLLBACK TO aktify_plan" : "ROLLBACK")
            }
            // A COMMIT that fails is the last statement's.
            throw Failure(error: error, observations: Array(observations.prefix(statements.count - 1)))
        }
        return observations
    }

    private mutating func observation(of statement: Revision.Statement) async throws -> Observation {
        if statement.isServerWideForGood { return Observation(doubt: "not run: it is about the whole server") }
        let (before, held) = (try await RelationSnapshot(reading: connection), try await locks())
        let holdings = try await connection.holdings()
        // Of a table that has one row all is read, where an index would do with more.
        if statement.isQuery { try await connection.script("SET LOCAL enable_seqscan = off") }
        try await connection.script(statement.sql)
        if statement.isQuery { try await connection.script("SET LOCAL enable_seqscan = on") }
        let locks = try await locks().subtracting(held)
        return try await observation(since: before, holdings, Array(locks), statement, counts: true)
    }

    private mutating func observation(
        since before: RelationSnapshot, _ holdings: Holdings, _ locks: [PlannedLock], _ statement: Revision.Statement,
        counts: Bool
    ) async throws -> Observation {
        let after = try await RelationSnapshot(reading: connection)
        var effects = after.effects(since: before, names, counts: counts)
        // What finds no row among those that were made up may find some in the real database.
        if LintedStatement(statement).words.begins("delete|merge|update") {
            let targets = locks.filter { $0.mode == .rowExclusive }.map(\.relation)
            effects += tables(named: targets, in: before).map(PlannedEffect.changesRows).filter {
                !effects.contains($0)
            }
        }
        let losses = try await losses(since: holdings, effects) + deletions(since: before, after, effects, statement)
        let mayDelete = try await unseenDeletions(of: statement, locks, losses, in: before)
        names.merge(after.successors(since: before, names)) { $1 }
        return Observation(locks: locks.strongest, effects: effects, losses: losses, mayDelete: mayDelete)
    }

    /// The locks that the session has.
    private func locks() async throws -> Set<PlannedLock> {
        let rows = try await connection.rows(
            """
            SELECT ARRAY[relation::text, mode] FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """)
        return Set(rows.compactMap(lock))
    }

    /// A row of `pg_locks`, when it is about a relation of the real database.
    private func lock(_ row: [String]) -> PlannedLock? {
        guard let name = Int64(row[0]).flatMap({ names[$0] }), let mode = LockMode(catalogName: row[1]) else {
            return nil
        }
        return PlannedLock(relation: name, mode: mode, table: tables[name])
    }

    // MARK: Outside

    /// Observes a statement that an upgrade runs outside a transaction: in one all the same, if it can be.
    private mutating func outside(_ statement: Revision.Statement) async throws -> Observation {
        do { return try await together([statement])[0] } catch let failure as Failure {
            guard failure.error.state == "25001" || failure.error.state == "2D000" else { throw failure }
        }
        guard !isHeld else {
            return Observation(doubt: "not run, since another one has changed what the whole server shares")
        }
        let before = try await RelationSnapshot(reading: connection)
        let holdings = try await connection.holdings()
        let tables = before.relations.filter { names[$0.key] != nil && ["r", "p"].contains($0.value.kind) }
        let gate = LockGate(scratch, tables: tables.values.map(\.name))
        do {
            let locks = try await gate.locks(of: connection) { try await connection.script(statement.sql) }
            return try await observation(since: before, holdings, locks.compactMap(lock), statement, counts: false)
        } catch let error as PostgresError {
            guard error.kind == .server else { throw StatementObserver.lost(error) }
            throw Failure(error: error, observations: [])
        }
    }

    /// No statement fails because its session has ended.
    private static func lost(_ error: PostgresError) -> MigrationFailed {
        MigrationFailed("the connection to the server was lost, and there is no plan: \(error)")
    }

    // MARK: Losses

    private func losses(since before: Holdings, _ effects: [PlannedEffect]) async throws -> [Loss] {
        var now = try await connection.holdings()
        for (id, name) in names where effects.contains(.truncates(name)) { now.tables[id]?.isEmpty = true }
        var old = before
        // Only what is in the real database can be lost there, and is told by its name there.
        old.tables = before.tables.reduce(into: [:]) { tables, entry in
            guard let table = origin.tables[entry.key] else { return }
            tables[entry.key] = entry.value
            tables[entry.key]?.name = table.name
            tables[entry.key]?.columns = entry.value.columns.reduce(into: [:]) { columns, column in
                guard let name = table.columns[column.key]?.name else { return }
                columns[column.key] = Holdings.Column(name: name, type: column.value.type)
            }
        }
        return old.losses(comparedWith: now)
    }

    /// The tables that a statement deletes rows of.
    private func deletions(
        since before: RelationSnapshot, _ after: RelationSnapshot, _ effects: [PlannedEffect],
        _ statement: Revision.Statement
    ) -> [Loss] {
        let isDeletion = LintedStatement(statement).words.begins("delete")
        let changed = names.filter { effects.contains(.changesRows($0.value)) }.sorted { $0.value < $1.value }
        return changed.compactMap { id, name in
            let rows = (after.relations[id]?.deleted ?? 0) - (before.relations[id]?.deleted ?? 0)
            return isDeletion || rows > 0 ? .deleted(table: name, rows: rows) : nil
        }
    }

    /// The tables of which a statement may delete rows when it finds others than those that were made up; empty when it may, and has
    /// locked none here; `nil` when nothing hints at a deletion that was not seen.
    private func unseenDeletions(
        of statement: Revision.Statement, _ locks: [PlannedLock], _ losses: [Loss], in snapshot: RelationSnapshot
    ) async throws -> [String]? {
        let words = LintedWords(statement.sql)
        let isQuery = words.has("delete from") || words.has("then delete")
        let isDeletion = words.begins("delete") || !words.begins("call|do|merge|select|with")
        guard !isDeletion else { return nil }
        if !isQuery, try await !hidesDeletion(statement.sql, words) { return nil }
        let locked = locks.filter { [.rowExclusive, .accessExclusive].contains($0.mode) }.map(\.relation)
        let told = losses.map(\.table)
        let tables = tables(named: locked, in: snapshot).filter { !told.contains($0) }
        return tables.isEmpty && (isQuery || !losses.isEmpty) ? nil : tables
    }

    /// Whether a block, or a function that a statement names, has words that delete rows.
    private func hidesDeletion(_ sql: String, _ words: LintedWords) async throws -> Bool {
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
    /// Whether it is carried out by a plan of Postgres's planner.
    fileprivate var isQuery: Bool { LintedWords(sql).begins("delete|insert|merge|select|update|with") }

    /// Whether it means something only together with others in its transaction.
    fileprivate var needsItsTransaction: Bool {
        LintedWords(sql).has("local|savepoint|rollback|temporary|temp|deferred|immediate|declare")
    }
}
