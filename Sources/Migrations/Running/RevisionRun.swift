import EventLoop
import Postgres
import SQL

/// The execution of one section of a revision, in one or more transactions. After a failure, the execution can be
/// resumed after the last committed transaction.
struct RevisionRun {
    let revision: Revision
    private let run: MigrationRun
    private let statements: [Revision.Statement]
    private let start = Instant.now
    /// The position that the execution has reached.
    private(set) var position: Position
    /// Whether exactly the statements before the position have taken effect; false if the effect of a statement is
    /// unknown.
    private(set) var isPositionExact = true
    /// The id of the row in `migration_history` that records the position; `nil` if the section is executed from its
    /// first statement in a single transaction.
    private var historyID: Int64?
    /// The progress that the row in `migration_history` records.
    private var progress: Progress?

    private var session: MigrationSession { run.session }
    private var connection: Connection { run.session.connection }

    /// Prepares the execution from the position that an incomplete earlier run has reached, or from the first statement.
    /// Records the run in `migration_history`, unless the whole section is to be executed in a single transaction.
    init(_ revision: Revision, in run: MigrationRun) async throws {
        (self.revision, self.run) = (revision, run)
        let section = run.direction == .upgrade ? revision.upgrade : revision.downgrade
        statements = section.statements
        position = try await run.session.incompleteRun(of: revision)?.position ?? Position()
        guard section.isOutside || !position.isStart else { return }
        if !position.isStart {
            let line = position.statements < statements.count ? " at line \(statements[position.statements].line)" : ""
            run.log("\(revision.id) resumes\(line) after what an earlier run has completed")
        }
        let done = try await session.checksum(of: statements, upTo: position)
        progress = Progress(position: position, done: done)
        historyID = try await session.record(
            revision, run.direction.rawValue, since: start, .stopped, detail: RevisionRun.interrupted, progress)
    }

    /// The reason why a run is incomplete, as recorded in `migration_history` while the execution is in progress. The
    /// record keeps this reason if the process ends without recording an outcome.
    private static let interrupted = "it was interrupted"

    /// The remaining statements grouped by transaction; each statement outside a transaction is a group.
    private var pieces: [[Revision.Statement]] {
        Array(statements.dropFirst(position.statements)).transactions(without: \.isOutside)
    }

    /// Executes the remaining statements, and updates `alembic_version` in the last transaction.
    /// - Throws: `MigrationRun.Failure`, `MigrationFailed`, `PostgresError`.
    mutating func carryOut(from old: Set<String>, to new: Set<String>) async throws {
        isPositionExact = true
        let pieces = pieces
        for (index, piece) in pieces.enumerated() {
            if let batches = piece[0].batches {
                try await run(batches, of: piece[0])
            } else if piece[0].isOutside {
                try await runOutside(piece[0])
            } else {
                if !connection.isInTransaction { try await connection.script("BEGIN") }
                try await runInside(piece)
                if index < pieces.count - 1 { try await commit(reaching: position.after(piece.count)) }
            }
        }
        if !connection.isInTransaction { try await connection.script("BEGIN") }
        if run.direction == .upgrade { try await verify() }
        try await session.checkLock()
        try await session.move(from: old, to: new, in: run.graph)
        try await finish(run.direction == .upgrade ? .applied : .undone)
        if !run.options.isOneTransaction { try await commit() }
    }

    /// Commits the transaction. A deferred constraint may still fail at the COMMIT, and if the connection is lost, the
    /// outcome is unknown.
    private func commit() async throws {
        if run.options.isTrial, let catalog = try await connection.serverWideChange() {
            throw changesServer("the shared catalog \(catalog)")
        }
        do { try await run.commit() } catch let error as PostgresError {
            guard !connection.isOpen else {
                throw MigrationRun.Failure.refused("\(revision.file): COMMIT failed: \(error)")
            }
            throw MigrationFailed(
                "the connection was lost during the COMMIT of \(revision.id), so its outcome is unknown; check it with "
                    + "aktify db status: \(error)")
        }
    }

    /// The error for a change of the whole server that a trial does not recognize as a server-wide statement.
    private func changesServer(_ what: String) -> MigrationRun.Failure {
        .refused(
            "\(revision.file): it changes \(what) from inside a function or a DO block, so a trial in a scratch "
                + "database would change the whole server. Move it to a top-level statement, which trials skip")
    }

    /// Commits the executed statements together with the position after them; if the whole run is a single transaction,
    /// nothing is committed yet.
    private mutating func commit(reaching next: Position) async throws {
        if !run.options.isOneTransaction {
            try await updateProgress(.stopped, "it was interrupted", at: next)
            try await commit()
        }
        position = next
    }

    /// Updates the row in `migration_history`, if `historyID` is not `nil`.
    private mutating func updateProgress(_ outcome: MigrationSession.Outcome, _ detail: String, at position: Position)
        async throws
    {
        guard let historyID, var progress else { return }
        if progress.position.statements != position.statements
            || (progress.position.key == nil) != (position.key == nil)
        {
            progress.done = try await session.checksum(of: statements, upTo: position)
        }
        progress.position = position
        self.progress = progress
        try await session.updateProgress(historyID, since: start, outcome, detail, progress)
    }

    /// Records the outcome of the execution in `migration_history`.
    mutating func finish(_ outcome: MigrationSession.Outcome, _ detail: String = "") async throws {
        if historyID == nil {
            try await session.record(revision, run.direction.rawValue, since: start, outcome, detail: detail)
        } else {
            try await updateProgress(outcome, detail, at: position)
        }
    }

    // MARK: Failures

    /// Records the failure of the execution, and the position at which the next run resumes.
    mutating func fail(_ reason: String) async throws {
        if position.isStart && isPositionExact { return try await finish(.failed, reason) }
        try await finish(isPositionExact ? .stopped : .halfway, "it \(stopDescription): \(reason)")
    }

    /// Where the execution stopped, and how the next run continues, as part of an error message.
    var stopDescription: String {
        guard let line = statements.dropFirst(position.statements).first?.line else {
            return "stopped after its last statement; the next \(run.direction) repeats its verification"
        }
        let location = "at line \(line) of \(revision.file)"
        return isPositionExact
            ? "stopped \(location), and the statements before it remain applied; the next \(run.direction) resumes "
                + "there, unless they are reverted manually and the progress is cleared: aktify db repair"
            : "failed half-way \(location), and the effect of that statement is unknown"
    }

    // MARK: Statements

    /// Whether a statement is skipped because the target is a scratch database.
    private func isLeftOut(_ statement: Revision.Statement) -> Bool { run.options.isTrial && statement.isServerWide }

    /// Runs `body`, and attributes its Postgres errors to a statement.
    private func failing(at statement: Revision.Statement, _ body: () async throws -> Void) async throws {
        do { try await run.blockers.watching(body) } catch let error as PostgresError {
            throw MigrationRun.Failure.statement(error, statement)
        }
    }

    /// Executes a statement outside a transaction. Until the statement has succeeded, its effect is unknown.
    private mutating func runOutside(_ statement: Revision.Statement) async throws {
        guard !isLeftOut(statement) else { return position = position.after(1) }
        if try await runAlone(statement) { return }
        // A block that commits by itself leaves nothing to detect before a COMMIT.
        if run.options.isTrial, statement.isBlockAboutRoles { throw changesServer("roles") }
        let invalid = Set(try await session.invalidIndexes())
        try await updateProgress(
            .halfway, "line \(statement.line) of \(revision.file) ran outside a transaction, and was interrupted",
            at: position)
        do { try await failing(at: statement) { try await session.runOutside(statement.sql) } } catch {
            // A single statement is atomic, unless it can commit.
            let words = LintedWords(statement.sql)
            let commits = words.begins("call|do") || words.has("detach partition * concurrently")
            isPositionExact = connection.isOpen && !commits
            if isPositionExact { isPositionExact = try await session.invalidIndexes().allSatisfy(invalid.contains) }
            throw error
        }
        position = position.after(1)
        try await updateProgress(.stopped, "it was interrupted", at: position)
    }

    /// Executes a statement in its own transaction, so that data loss is detected before the COMMIT.
    /// - Returns: Whether the statement was executed; false if it cannot run in a transaction, and thus had no effect.
    private mutating func runAlone(_ statement: Revision.Statement) async throws -> Bool {
        // Some of these statements could run in a transaction, but must wait without a lock_timeout.
        guard !LintedWords(statement.sql).has("concurrently") else { return false }
        do {
            try await connection.script("BEGIN")
            try await runInside([statement])
            try await commit(reaching: position.after(1))
            return true
        } catch MigrationRun.Failure.statement(let error, _) where error.state == "25001" || error.state == "2D000" {
            // VACUUM and others (active_sql_transaction), or code that commits
            // (invalid_transaction_termination).
            try await connection.script("ROLLBACK")
            try await session.reset()
            return false
        }
    }

    /// Executes a statement in batches, each in a transaction that records the position after the batch. After each
    /// batch, the run pauses as long as the batch took, but at most one second, to give way to other sessions.
    private mutating func run(_ batches: BatchedStatement, of statement: Revision.Statement) async throws {
        if let problem = try await connection.batchKey(of: batches).problem(with: batches) {
            throw MigrationRun.Failure.refused("\(revision.file):\(statement.line): \(problem)")
        }
        let estimatedRows = try await session.estimatedRows(of: batches.table)
        var lastLogged = Instant.now
        if position.end == nil { position.end = try await keys(batches.endQuery, statement)?.key }
        while let next = try await bound(of: batches, statement) {
            let begin = Instant.now
            try await connection.script("BEGIN")
            let batch = batches.statement(after: position.key.map(literal), to: literal(next.key ?? ""))
            try await runInside([statement.with(sql: batch)])
            try await commit(reaching: next)
            let took = Instant.now.duration(since: begin)
            if Instant.now.duration(since: lastLogged) > .seconds(5) {
                lastLogged = .now
                run.log(
                    "\(revision.id), line \(statement.line): \(next.rows) of about \(estimatedRows) rows of "
                        + "\(batches.table) done"
                )
            }
            do { try await run.pause(for: min(took, .seconds(1))) } catch is CancellationError {
                throw MigrationRun.Failure.refused(
                    "\(revision.file):\(statement.line): interrupted after \(position.rows) of about \(estimatedRows) "
                        + "rows of \(batches.table)"
                )
            }
        }
        run.log(
            "\(revision.id), line \(statement.line): all batches done: \(position.rows) rows of \(batches.table)")
        position = position.after(1)
        try await updateProgress(.stopped, "it was interrupted", at: position)
    }

    /// Returns the position after the next batch; `nil` when no rows are left.
    private func bound(of batches: BatchedStatement, _ statement: Revision.Statement) async throws -> Position? {
        guard let end = position.end,
            let (key, rows) = try await keys(
                batches.boundQuery(after: position.key.map(literal), to: literal(end)), statement)
        else { return nil }
        var next = position
        next.key = key
        next.rows += rows
        return next
    }

    /// Executes a query, and returns the batch key and the row count in its only row; `nil` if there is no row. The
    /// count is 0 if the query has no second column.
    private func keys(_ query: String, _ statement: Revision.Statement) async throws -> (key: String, rows: Int64)? {
        var found: (key: String, rows: Int64)?
        try await failing(at: statement) {
            // The key is formatted independently of the settings of the role and the server.
            let styles = "SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; "
            let result = try await connection.script(styles + query)
            try await session.reset()
            guard result.count == 1 else { return }
            var row = result.row(0)
            let key = try row.next(String.self)
            found = (key, result.columns.count > 1 ? Int64(try row.next(String.self)) ?? 0 : 0)
        }
        return found
    }

    // MARK: Data loss

    /// Executes statements in the open transaction. Unless `allowsDataLoss` is set, compares the catalog before and
    /// after them; data loss is then an error, and the transaction is rolled back.
    private mutating func runInside(_ statements: [Revision.Statement]) async throws {
        guard !run.options.allowsDataLoss else { return try await execute(statements) }
        let detector = try await DataLossDetector(connection, statements)
        var harmless: Set<DataLoss> = []
        while true {
            try await connection.script("SAVEPOINT aktify_revision")
            try await execute(statements)
            let losses = try await detector.losses().filter { !harmless.contains($0.key) }
            guard !losses.isEmpty else { break }
            // The affected rows can be counted once they are back. The tables stay locked, so that no rows
            // are added.
            try await connection.script("ROLLBACK TO aktify_revision; RELEASE aktify_revision")
            let texts = try await detector.descriptions(of: losses)
            guard texts.isEmpty else { throw MigrationRun.Failure.dataLoss(texts) }
            harmless.formUnion(losses.keys)
        }
        try await connection.script("RELEASE aktify_revision")
    }

    private mutating func execute(_ statements: [Revision.Statement]) async throws {
        for statement in statements where !isLeftOut(statement) {
            do { try await failing(at: statement) { try await connection.script(statement.sql) } } catch {
                if connection.isOpen, !connection.isInTransaction { isPositionExact = false }
                throw error
            }
            guard connection.isInTransaction else {
                isPositionExact = false
                throw MigrationRun.Failure.refused(
                    "\(revision.file):\(statement.line): it has ended the transaction in which it runs")
            }
        }
        try await session.reset()
    }

    // MARK: Verification

    /// Runs the queries of the revision's verification in read-only mode, and rolls back their effects.
    private func verify() async throws {
        guard !revision.verification.statements.isEmpty else { return }
        try await connection.script("SAVEPOINT aktify_verification; SET LOCAL transaction_read_only = on")
        let problem = try await session.failedVerification(of: revision)
        if let problem { throw MigrationRun.Failure.refused(problem) }
        try await connection.script("ROLLBACK TO aktify_verification; RELEASE aktify_verification")
        try await session.reset()
    }
}
