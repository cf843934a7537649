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
            try await carryOut(revision, versions, next, Report(plan: plan, place: place, of: self))
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
        _ revision: Revision, _ old: Set<String>, _ new: Set<String>, _ progress: Report
    ) async throws {
        if direction == .upgrade { try await session.checkContract(of: revision, in: graph) }
        var run = try await RevisionRun(revision, in: self)
        var attempt = 1
        while true {
            let place = run.place
            do {
                return try await run.carryOut(from: old, to: new)
            } catch let failure as Failure {
                if connection.isInTransaction { _ = try? await connection.script("ROLLBACK") }
                if connection.isOpen { try await session.reset() }
                if run.place != place { attempt = 1 }
                if failure.isForLackOfALock, attempt < options.tries, run.isCertain, !options.isOneTransaction {
                    let left = options.tries - attempt
                    log("\(revision.id) did not get its table\(blockers.text); trying again, \(left) times more")
                    if (try? await pause(for: MigrationRun.pause(after: attempt))) != nil {
                        attempt += 1
                        continue
                    }
                }
                throw try await report(failure, of: &run, progress)
            }
        }
    }

    /// Exponential back-off with jitter: 250 ms at first, 5 s at most.
    private static func pause(after attempt: Int) -> Duration {
        let longest = min(5000, 250 << min(attempt - 1, 5))
        return .milliseconds(Int.random(in: longest / 2...longest))
    }

    func pause(for duration: Duration) async throws { try await Loop.current?.sleep(for: duration) }

    /// Postgres answers the COMMIT of a transaction that has failed with ROLLBACK, and no error.
    func commit() async throws {
        guard try await connection.script("COMMIT").tag == "COMMIT" else {
            throw MigrationFailed("the transaction had failed, and was rolled back")
        }
    }

    // MARK: Failing

    enum Failure: Error, CustomStringConvertible {
        case statement(PostgresError, Revision.Statement)
        case dataLoss([String])
        /// Why it must not go on, with the place.
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

    /// What is said of a plan that was not finished.
    struct Report {
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
        _ failure: Failure, of run: inout RevisionRun, _ progress: Report
    ) async throws -> MigrationFailed {
        let id = run.revision.id
        var said = run.place.isStart && run.isCertain ? "Nothing of \(id) stays." : "\(id) \(run.halt)."
        if failure.isForLackOfALock, !blockers.text.isEmpty { said = "It waited\(blockers.text). " + said }
        if Task.isCancelled { said = "It was interrupted. " + said }
        if let hint = hint(on: failure) { said = "\(hint)\n\(said)" }
        if connection.isOpen { try await run.fail(failure.description) }
        return failed(failure, in: run.revision, "\(said) \(progress.text)")
    }

    /// What to do when a scratch database lacks a role that a revision makes.
    private func hint(on failure: Failure) -> String? {
        guard options.isTrial, case .statement(let error, _) = failure, error.state == "42704" else { return nil }
        let made = graph.revisions.lazy.flatMap(\.upgrade.statements).compactMap { LintedWords($0.sql).createdRole }
        return made.first { error.message.contains("\"\($0)\"") }.map { role in
            "A scratch database is on the real server, so that CREATE ROLE is left out there: create the role \(role) first."
        }
    }

    private func failed(_ failure: Failure, in revision: Revision, _ said: String) -> MigrationFailed {
        switch failure {
        case .statement(let error, let statement): MigrationFailed(error, statement, in: revision, done: said)
        case .dataLoss(let losses):
            MigrationFailed(
                "\(revision.file): \(revision.id) loses data: it \(losses.joined(separator: ", it ")). If that is meant: "
                    + "--allow-data-loss\n\(said)")
        case .refused(let reason): MigrationFailed("\(reason)\n\(said)")
        }
    }
}
