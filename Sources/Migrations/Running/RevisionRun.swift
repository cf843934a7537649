import EventLoop
import Postgres
import SQL

/// A section of one revision that is carried out: as one transaction, or in pieces, and then it goes on where it stopped.
struct RevisionRun {
    let revision: Revision
    private let run: MigrationRun
    private let statements: [Revision.Statement]
    private let start = Instant.now
    /// How far it has come.
    private(set) var place: Place
    /// Whether all before the place is done and nothing behind it.
    private(set) var isCertain = true
    /// The row in `migration_history` that says so, when it is not one transaction.
    private var entry: Int64?
    /// What that row says last.
    private var progress: Progress?

    private var session: MigrationSession { run.session }
    private var connection: Connection { run.session.connection }

    /// Begins, or goes on behind what an earlier run has done.
    init(_ revision: Revision, in run: MigrationRun) async throws {
        (self.revision, self.run) = (revision, run)
        let section = run.direction == .upgrade ? revision.upgrade : revision.downgrade
        statements = section.statements
        place = try await run.session.halt(of: revision)?.place ?? Place()
        guard section.isOutside || !place.isStart else { return }
        if !place.isStart {
            let line = place.statements < statements.count ? " at line \(statements[place.statements].line)" : ""
            run.log("\(revision.id) goes on\(line), behind what an earlier run has done")
        }
        let done = try await session.checksum(of: statements, upTo: place)
        progress = Progress(place: place, done: done)
        entry = try await session.record(
            revision, run.direction.rawValue, since: start, .stopped, detail: RevisionRun.interrupted, progress)
    }

    /// What is true of a run that does not say any more how it ended.
    private static let interrupted = "it was interrupted"

    /// What is left: the statements together that are one transaction, and each that runs outside alone.
    private var pieces: [[Revision.Statement]] {
        Array(statements.dropFirst(place.statements)).transactions(without: \.isOutside)
    }

    /// Runs what is left, and moves the version row with the last of it.
    /// - Throws: `MigrationRun.Failure`.
    mutating func carryOut(from old: Set<String>, to new: Set<String>) async throws {
        isCertain = true
        let pieces = pieces
        for (index, piece) in pieces.enumerated() {
            if let batches = piece[0].batches {
                try await run(batches, of: piece[0])
            } else if piece[0].isOutside {
                try await runOutside(piece[0])
            } else {
                if !connection.isInTransaction { try await connection.script("BEGIN") }
                try await runInside(piece)
                if index < pieces.count - 1 { try await commit(reaching: place.after(piece.count)) }
            }
        }
        if !connection.isInTransaction { try await connection.script("BEGIN") }
        if run.direction == .upgrade { try await verify() }
        try await session.checkLock()
        try await session.move(from: old, to: new, in: run.graph)
        try await finish(run.direction == .upgrade ? .applied : .undone)
        if !run.options.isOneTransaction { try await commit() }
    }

    /// Commits; a deferred constraint may still fail, and of a connection that is lost nobody knows whether it has committed.
    private func commit() async throws {
        if run.options.isTrial, let catalog = try await connection.serverWideChange() {
            throw MigrationRun.Failure.refused(
                "\(revision.file): it changes \(catalog), which all databases of the server share: a scratch database must leave that alone. "
                    + "A statement of its own is left out there; one in a function or a DO block cannot be")
        }
        do { try await run.commit() } catch let error as PostgresError {
            guard !connection.isOpen else {
                throw MigrationRun.Failure.refused("\(revision.file): COMMIT failed: \(error)")
            }
            throw MigrationFailed(
                "the connection was lost during the COMMIT of \(revision.id): whether it was carried out is not known, aktify db status "
                    + "tells: \(error)")
        }
    }

    /// Commits what was done, with the place behind it.
    private mutating func commit(reaching next: Place) async throws {
        if !run.options.isOneTransaction {
            try await note(.stopped, "it was interrupted", at: next)
            try await commit()
        }
        place = next
    }

    private mutating func note(_ outcome: MigrationSession.Outcome, _ detail: String, at place: Place) async throws {
        guard let entry, var progress else { return }
        if progress.place.statements != place.statements || (progress.place.key == nil) != (place.key == nil) {
            progress.done = try await session.checksum(of: statements, upTo: place)
        }
        progress.place = place
        self.progress = progress
        try await session.note(entry, since: start, outcome, detail, progress)
    }

    /// Records how it ended.
    mutating func finish(_ outcome: MigrationSession.Outcome, _ detail: String = "") async throws {
        if entry == nil {
            try await session.record(revision, run.direction.rawValue, since: start, outcome, detail: detail)
        } else {
            try await note(outcome, detail, at: place)
        }
    }

    // MARK: Failing

    /// Records that it failed, in what way, and where the next run goes on.
    mutating func fail(_ reason: String) async throws {
        if place.isStart && isCertain { return try await finish(.failed, reason) }
        try await finish(isCertain ? .stopped : .halfway, "it \(halt): \(reason)")
    }

    /// Where it stopped, and what that means, as what is said of it.
    var halt: String {
        guard let line = statements.dropFirst(place.statements).first?.line else {
            return "stopped behind its last statement, where the next \(run.direction) asks again what must be true"
        }
        let place = "at line \(line) of \(revision.file)"
        return isCertain
            ? "stopped \(place), and what stands before it stays; the next \(run.direction) goes on there, unless that was undone "
                + "by hand and forgotten: aktify db repair"
            : "failed half-way \(place), and what that statement has done is not known"
    }

    // MARK: Pieces

    /// Whether a scratch database does without a statement.
    private func isLeftOut(_ statement: Revision.Statement) -> Bool { run.options.isTrial && statement.isServerWide }

    private func failing(at statement: Revision.Statement, _ body: () async throws -> Void) async throws {
        do { try await run.blockers.watching(body) } catch let error as PostgresError {
            throw MigrationRun.Failure.statement(error, statement)
        }
    }

    /// Runs a statement outside a transaction: until it has ended well, nobody knows what it has done.
    private mutating func runOutside(_ statement: Revision.Statement) async throws {
        guard !isLeftOut(statement) else { return place = place.after(1) }
        if try await runAlone(statement) { return }
        let invalid = Set(try await session.invalidIndexes())
        try await note(
            .halfway, "line \(statement.line) of \(revision.file) ran outside a transaction, and was interrupted",
            at: place)
        do { try await failing(at: statement) { try await session.runOutside(statement.sql) } } catch {
            // One statement is a transaction, unless it commits by itself.
            let words = LintedWords(statement.sql)
            let commits = words.begins("call|do") || words.has("detach partition * concurrently")
            isCertain = connection.isOpen && !commits
            if isCertain { isCertain = try await session.invalidIndexes().allSatisfy(invalid.contains) }
            throw error
        }
        place = place.after(1)
        try await note(.stopped, "it was interrupted", at: place)
    }

    /// Runs a statement in a transaction of its own, where what it loses is found before the COMMIT.
    /// - Returns: whether it can run in one; else nothing of it stays.
    private mutating func runAlone(_ statement: Revision.Statement) async throws -> Bool {
        // Some of these can, but they wait without lock_timeout.
        guard !LintedWords(statement.sql).has("concurrently") else { return false }
        do {
            try await connection.script("BEGIN")
            try await runInside([statement])
            try await commit(reaching: place.after(1))
            return true
        } catch MigrationRun.Failure.statement(let error, _) where error.state == "25001" || error.state == "2D000" {
            // VACUUM and its like (active_sql_transaction), or what commits by itself (invalid_transaction_termination).
            try await connection.script("ROLLBACK")
            try await session.reset()
            return false
        }
    }

    /// Runs a statement in pieces, each a transaction with its place; between them others have as much time as a piece took.
    private mutating func run(_ batches: BatchedStatement, of statement: Revision.Statement) async throws {
        if let problem = try await connection.batchKey(of: batches).problem(with: batches) {
            throw MigrationRun.Failure.refused("\(revision.file):\(statement.line): \(problem)")
        }
        let about = try await session.rowsAbout(batches.table)
        var said = Instant.now
        if place.end == nil { place.end = try await keys(batches.end, statement)?.key }
        while let next = try await bound(of: batches, statement) {
            let begin = Instant.now
            try await connection.script("BEGIN")
            let piece = batches.piece(behind: place.key.map(literal), to: literal(next.key ?? ""))
            try await runInside([statement.with(sql: piece)])
            try await commit(reaching: next)
            let took = Instant.now.duration(since: begin)
            if Instant.now.duration(since: said) > .seconds(5) {
                said = .now
                run.log(
                    "\(revision.id), line \(statement.line): \(next.rows) of about \(about) rows of \(batches.table) done"
                )
            }
            do { try await run.pause(for: min(took, .seconds(1))) } catch is CancellationError {
                throw MigrationRun.Failure.refused(
                    "\(revision.file):\(statement.line): interrupted after \(place.rows) of about \(about) rows of \(batches.table)"
                )
            }
        }
        run.log("\(revision.id), line \(statement.line): all \(place.rows) rows of \(batches.table) done")
        place = place.after(1)
        try await note(.stopped, "it was interrupted", at: place)
    }

    /// The place behind the next piece; `nil` when nothing is left.
    private func bound(of batches: BatchedStatement, _ statement: Revision.Statement) async throws -> Place? {
        guard let end = place.end,
            let (key, rows) = try await keys(batches.bound(behind: place.key.map(literal), to: literal(end)), statement)
        else { return nil }
        var next = place
        next.key = key
        next.rows += rows
        return next
    }

    /// The key that a query returns, and the number behind it, if there is one; `nil` when it returns no row.
    private func keys(_ query: String, _ statement: Revision.Statement) async throws -> (key: String, rows: Int64)? {
        var found: (key: String, rows: Int64)?
        try await failing(at: statement) {
            // The key is written the same whatever the role's or the server's settings are.
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

    // MARK: Data

    /// Runs statements in the open transaction, and compares the catalog before and after. When data is lost that `allowsDataLoss` does not
    /// allow, the transaction is rolled back.
    private mutating func runInside(_ statements: [Revision.Statement]) async throws {
        guard !run.options.allowsDataLoss else { return try await execute(statements) }
        let watch = try await LossWatch(connection, statements)
        var harmless: Set<Loss> = []
        while true {
            try await connection.script("SAVEPOINT aktify_revision")
            try await execute(statements)
            let losses = try await watch.losses().filter { !harmless.contains($0.key) }
            guard !losses.isEmpty else { break }
            // How many rows were at stake can be counted once they are back; none may come until all is done.
            try await connection.script("ROLLBACK TO aktify_revision; RELEASE aktify_revision")
            let texts = try await watch.lost(losses)
            guard texts.isEmpty else { throw MigrationRun.Failure.dataLoss(texts) }
            harmless.formUnion(losses.keys)
        }
        try await connection.script("RELEASE aktify_revision")
    }

    private mutating func execute(_ statements: [Revision.Statement]) async throws {
        for statement in statements where !isLeftOut(statement) {
            do { try await failing(at: statement) { try await connection.script(statement.sql) } } catch {
                if connection.isOpen, !connection.isInTransaction { isCertain = false }
                throw error
            }
            guard connection.isInTransaction else {
                isCertain = false
                throw MigrationRun.Failure.refused(
                    "\(revision.file):\(statement.line): it has ended the transaction that it runs in")
            }
        }
        try await session.reset()
    }

    // MARK: Verification

    /// Asks what must be true now; nothing of it stays.
    private func verify() async throws {
        guard !revision.verification.statements.isEmpty else { return }
        try await connection.script("SAVEPOINT aktify_verification; SET LOCAL transaction_read_only = on")
        let problem = try await session.untrue(of: revision)
        if let problem { throw MigrationRun.Failure.refused(problem) }
        try await connection.script("ROLLBACK TO aktify_verification; RELEASE aktify_verification")
        try await session.reset()
    }
}
