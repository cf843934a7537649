import EventLoop
import Postgres
import SQL

/// One upgrade or downgrade that is carried out, with the lock held.
struct MigrationRun {
    enum Direction: String {
        case upgrade, downgrade
    }

    let session: MigrationSession
    let graph: RevisionGraph
    let direction: Direction
    let options: Migrator.Options
    let blockers: BlockerWatch
    let log: (String) -> Void

    private var connection: Connection { session.connection }

    /// Carries out a plan, in order.
    /// - Throws: `MigrationFailed`, with what was done and what was not.
    func carryOut(_ plan: [Revision], from versions: Set<String>) async throws {
        if options.isOneTransaction { try await connection.script("BEGIN") }
        var versions = versions
        for (place, revision) in plan.enumerated() {
            let next =
                switch direction {
                case .upgrade: graph.versions(versions, applying: revision)
                case .downgrade: try graph.versions(versions, undoing: revision)
                }
            log("Running \(direction.rawValue) \(step(of: revision)), \(revision.message)")
            try await carryOut(revision, versions, next, Progress(plan: plan, place: place, of: self))
            versions = next
        }
        if options.isOneTransaction { try await commit() }
    }

    /// `6c369edd2a4c -> 3531fa35359f`
    private func step(of revision: Revision) -> String {
        let parents = revision.parents.joined(separator: ", ")
        return direction == .upgrade ? "\(parents) -> \(revision.id)" : "\(revision.id) -> \(parents)"
    }

    private func carryOut(
        _ revision: Revision, _ old: Set<String>, _ new: Set<String>, _ progress: Progress
    ) async throws {
        let start = Instant.now
        var attempt = 1
        while true {
            do {
                return try await once(revision, old, new, since: start)
            } catch let failure as Failure {
                if connection.isInTransaction { _ = try? await connection.script("ROLLBACK") }
                if connection.isOpen { try await session.reset() }
                if failure.isForLackOfALock, attempt < options.tries, failure.undone, !options.isOneTransaction {
                    let left = options.tries - attempt
                    log("\(revision.id) did not get its table\(blockers.text); trying again, \(left) times more")
                    try await Loop.current?.sleep(for: MigrationRun.pause(after: attempt))
                    attempt += 1
                    continue
                }
                throw try await report(failure, revision, since: start, progress)
            }
        }
    }

    /// Exponential back-off with jitter: 250 ms at first, 5 s at most.
    private static func pause(after attempt: Int) -> Duration {
        let longest = min(5000, 250 << min(attempt - 1, 5))
        return .milliseconds(Int.random(in: longest / 2...longest))
    }

    /// The statements in order, those together that are one transaction.
    private func segments(of revision: Revision) -> [[Revision.Statement]] {
        (direction == .upgrade ? revision.upgrade : revision.downgrade).segments
    }

    /// Runs a revision's statements; those inside a transaction with the version row, when all of them are.
    private func once(_ revision: Revision, _ old: Set<String>, _ new: Set<String>, since start: Instant) async throws {
        var isUndone = true
        let segments = segments(of: revision)
        for (place, segment) in segments.enumerated() {
            if segment[0].isOutside {
                try await failing(at: segment[0], isUndone) { try await session.runOutside(segment[0].sql) }
                isUndone = false
            } else {
                if !connection.isInTransaction { try await connection.script("BEGIN") }
                try await runInside(segment, isUndone)
                guard place < segments.count - 1, !options.isOneTransaction else { continue }
                try await commit()
                isUndone = false
            }
        }
        if !connection.isInTransaction { try await connection.script("BEGIN") }
        try await session.move(from: old, to: new, in: graph)
        try await session.record(
            revision, direction.rawValue, since: start, direction == .upgrade ? .applied : .undone)
        if !options.isOneTransaction { try await commit() }
    }

    /// Runs statements in the open transaction, and compares the catalog before and after. When data is lost that `allowsDataLoss` does not
    /// allow, the transaction is rolled back.
    private func runInside(_ statements: [Revision.Statement], _ isUndone: Bool) async throws {
        let before = options.allowsDataLoss ? nil : try await connection.holdings()
        var harmless: Set<Loss> = []
        if before != nil { try await connection.script("SAVEPOINT aktify_revision") }
        while true {
            for statement in statements {
                try await failing(at: statement, isUndone) { try await connection.script(statement.sql) }
            }
            try await session.reset()
            guard let before else { return }
            let losses = try await losses(since: before).filter { !harmless.contains($0) }
            guard !losses.isEmpty else { break }
            // How many rows were at stake can be counted once they are back.
            try await connection.script("ROLLBACK TO aktify_revision")
            var texts: [String] = []
            for loss in losses {
                let count = try await count(loss)
                if count > 0 { texts.append(loss.text(count)) }
            }
            guard texts.isEmpty else { throw Failure(reason: .dataLoss(texts), undone: isUndone) }
            harmless.formUnion(losses)
        }
        try await connection.script("RELEASE aktify_revision")
    }

    private func losses(since before: Holdings) async throws -> [Loss] {
        before.losses(comparedWith: try await connection.holdings(since: before))
            + (try await connection.deletions(from: before))
    }

    private func count(_ loss: Loss) async throws -> Int64 {
        // Counting may take long, and a script has no deadline; what it returns is text.
        var row = try await connection.script(loss.count).row(0)
        return Int64(try row.next(String.self)) ?? 0
    }

    private func failing(
        at statement: Revision.Statement, _ isUndone: Bool, _ body: () async throws -> Void
    ) async throws {
        do { try await blockers.watching(body) } catch let error as PostgresError {
            throw Failure(reason: .statement(error, statement), undone: isUndone)
        }
    }

    /// Postgres answers the COMMIT of a transaction that has failed with ROLLBACK, and no error.
    private func commit() async throws {
        guard try await connection.script("COMMIT").tag == "COMMIT" else {
            throw MigrationFailed("the transaction had failed, and was rolled back")
        }
    }

    // MARK: Failing

    private struct Failure: Error {
        enum Reason {
            case statement(PostgresError, Revision.Statement)
            case dataLoss([String])
        }

        let reason: Reason
        /// Whether nothing of the revision stays.
        let undone: Bool

        var isForLackOfALock: Bool {
            if case .statement(let error, _) = reason { error.state == "55P03" } else { false }
        }

        var statement: Revision.Statement? { if case .statement(_, let statement) = reason { statement } else { nil } }

        var description: String {
            switch reason {
            case .statement(let error, _): error.description
            case .dataLoss(let losses): losses.joined(separator: ", ")
            }
        }
    }

    /// What is said of a plan that was not finished.
    struct Progress {
        let done: [String]
        let left: [String]
        let words: (done: String, left: String)

        init(plan: [Revision], place: Int, of run: MigrationRun) {
            let ids = plan.map(\.id)
            done = run.options.isOneTransaction ? [] : Array(ids[..<place])
            left = run.options.isOneTransaction ? ids : Array(ids[place...])
            words = run.direction == .upgrade ? ("Applied", "Not applied") : ("Undone", "Not undone")
        }

        var text: String {
            "\(words.done): \(done.isEmpty ? "nothing" : done.joined(separator: ", ")). \(words.left): \(left.joined(separator: ", "))."
        }
    }

    private func report(
        _ failure: Failure, _ revision: Revision, since start: Instant, _ progress: Progress
    ) async throws -> MigrationFailed {
        var said = "Nothing of \(revision.id) stays. \(progress.text)"
        if failure.isForLackOfALock, !blockers.text.isEmpty { said = "It waited\(blockers.text). " + said }
        if Task.isCancelled { said = "It was interrupted. " + said }
        guard connection.isOpen else { return failed(failure, in: revision, said) }
        let invalid = failure.statement?.isOutside ?? false ? try await session.invalidIndexes() : []
        if failure.undone, invalid.isEmpty {
            try await session.record(revision, direction.rawValue, since: start, .failed, detail: failure.description)
        } else {
            let place = failure.statement.map { "line \($0.line) of " } ?? ""
            var detail = "\(place)\(revision.file) failed after others had been carried out outside a transaction"
            if !invalid.isEmpty {
                detail += ", and left invalid: \(invalid.joined(separator: ", ")) (DROP INDEX CONCURRENTLY it)"
            }
            try await session.record(revision, direction.rawValue, since: start, .halfway, detail: detail)
            said = "\(revision.id) failed half-way: \(detail). \(progress.text)"
        }
        return failed(failure, in: revision, said)
    }

    private func failed(_ failure: Failure, in revision: Revision, _ said: String) -> MigrationFailed {
        switch failure.reason {
        case .statement(let error, let statement): MigrationFailed(error, statement, in: revision, done: said)
        case .dataLoss(let losses):
            MigrationFailed(
                "\(revision.file): \(revision.id) loses data: it \(losses.joined(separator: ", it ")). If that is meant: "
                    + "--allow-data-loss\n\(said)")
        }
    }
}
