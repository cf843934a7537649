import EventLoop
import Postgres
import SQL

/// The execution of one upgrade or downgrade command. The migration lock must be held.
struct MigrationRun {
    /// The direction of a migration, as `migration_history` records it.
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

    /// Applies or reverts the revisions of a plan, in order.
    /// - Throws: `MigrationFailed`, whose message lists the completed and the remaining revisions if a statement
    ///   failed; `PostgresError`, `RevisionGraph.GraphError`.
    func carryOut(_ plan: [Revision], from versions: Set<String>) async throws {
        if options.isOneTransaction { try await connection.script("BEGIN") }
        var versions = versions
        for (position, revision) in plan.enumerated() {
            let next =
                switch direction {
                case .upgrade: graph.versions(versions, applying: revision)
                case .downgrade: try graph.versions(versions, undoing: revision)
                }
            log("Running \(direction.rawValue) \(step(of: revision)), \(revision.message)")
            try await carryOut(revision, versions, next, Report(plan: plan, position: position, of: self))
            versions = next
        }
        if options.isOneTransaction { try await commit() }
    }

    /// The parents and the id of a revision, as Alembic prints them: `6c369edd2a4c -> 3531fa35359f`.
    private func step(of revision: Revision) -> String {
        let parents = revision.parents.joined(separator: ", ")
        return direction == .upgrade ? "\(parents) -> \(revision.id)" : "\(revision.id) -> \(parents)"
    }

    private func carryOut(
        _ revision: Revision, _ old: Set<String>, _ new: Set<String>, _ progress: Report
    ) async throws {
        if direction == .upgrade { try await session.checkContract(of: revision, in: graph) }
        var run = try await RevisionRun(revision, in: self)
        var attempt = 1
        while true {
            let position = run.position
            do {
                return try await run.carryOut(from: old, to: new)
            } catch let failure as Failure {
                if connection.isInTransaction { _ = try? await connection.script("ROLLBACK") }
                if connection.isOpen { try await session.reset() }
                if run.position != position { attempt = 1 }
                if failure.isForLackOfALock, attempt < options.maximumAttempts, run.isPositionExact,
                    !options.isOneTransaction
                {
                    let attemptsLeft = options.maximumAttempts - attempt
                    log(
                        "\(revision.id) timed out waiting for a table lock\(blockers.text); retrying, \(attemptsLeft) "
                            + "attempts left"
                    )
                    if (try? await pause(for: MigrationRun.pause(after: attempt))) != nil {
                        attempt += 1
                        continue
                    }
                }
                throw try await report(failure, of: &run, progress)
            }
        }
    }

    /// Returns the pause before the next attempt, an exponential backoff with jitter: at first up to 250 ms, later up
    /// to 5 s.
    private static func pause(after attempt: Int) -> Duration {
        let longest = min(5000, 250 << min(attempt - 1, 5))
        return .milliseconds(Int.random(in: longest / 2...longest))
    }

    func pause(for duration: Duration) async throws { try await Loop.current?.sleep(for: duration) }

    /// Commits the transaction, and throws if it was rolled back instead: Postgres responds to the COMMIT of a failed
    /// transaction with the command tag ROLLBACK, not with an error.
    func commit() async throws {
        guard try await connection.script("COMMIT").tag == "COMMIT" else {
            throw MigrationFailed("the transaction had failed and was rolled back")
        }
    }

    // MARK: Failures

    /// Why the execution of a revision stopped.
    enum Failure: Error, CustomStringConvertible {
        case statement(PostgresError, Revision.Statement)
        case dataLoss([String])
        /// Another reason, such as a failed verification; the text includes the file.
        case refused(String)

        var isForLackOfALock: Bool {
            if case .statement(let error, _) = self { error.state == "55P03" } else { false }
        }

        var description: String {
            switch self {
            case .statement(let error, _): error.description
            case .dataLoss(let losses): losses.joined(separator: ", ")
            case .refused(let reason): reason
            }
        }
    }

    /// The summary of an unfinished plan for the error message.
    struct Report {
        let done: [String]
        let remaining: [String]
        let words: (done: String, remaining: String)

        init(plan: [Revision], position: Int, of run: MigrationRun) {
            let ids = plan.map(\.id)
            done = run.options.isOneTransaction ? [] : Array(ids[..<position])
            remaining = run.options.isOneTransaction ? ids : Array(ids[position...])
            words = run.direction == .upgrade ? ("Applied", "Not applied") : ("Undone", "Not undone")
        }

        var text: String {
            "\(words.done): \(done.isEmpty ? "nothing" : done.joined(separator: ", ")). \(words.remaining): "
                + "\(remaining.joined(separator: ", "))."
        }
    }

    private func report(
        _ failure: Failure, of run: inout RevisionRun, _ progress: Report
    ) async throws -> MigrationFailed {
        let id = run.revision.id
        var summary =
            run.position.isStart && run.isPositionExact ? "\(id) was rolled back." : "\(id) \(run.stopDescription)."
        if failure.isForLackOfALock, !blockers.text.isEmpty { summary = "It waited\(blockers.text). " + summary }
        if Task.isCancelled { summary = "It was interrupted. " + summary }
        if let hint = hint(on: failure) { summary = "\(hint)\n\(summary)" }
        if connection.isOpen { try await run.fail(failure.description) }
        return failed(failure, in: run.revision, "\(summary) \(progress.text)")
    }

    /// Returns a hint if a statement failed in a scratch database for lack of a role, since `CREATE ROLE` is skipped
    /// there; otherwise `nil`.
    private func hint(on failure: Failure) -> String? {
        guard options.isTrial, case .statement(let error, _) = failure, error.state == "42704" else { return nil }
        let made = graph.revisions.lazy.flatMap(\.upgrade.statements).compactMap { LintedWords($0.sql).createdRole }
        return made.first { error.message.contains("\"\($0)\"") }.map { role in
            "A scratch database is on the real server, so CREATE ROLE is skipped there: create the role \(role) first."
        }
    }

    private func failed(_ failure: Failure, in revision: Revision, _ summary: String) -> MigrationFailed {
        switch failure {
        case .statement(let error, let statement): MigrationFailed(error, statement, in: revision, done: summary)
        case .dataLoss(let losses):
            MigrationFailed(
                "\(revision.file): \(revision.id) loses data: it \(losses.joined(separator: ", it ")). To allow it, "
                    + "use --allow-data-loss\n\(summary)")
        case .refused(let reason): MigrationFailed("\(reason)\n\(summary)")
        }
    }
}
