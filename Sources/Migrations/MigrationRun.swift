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
        var left = options.tries
        while true {
            do {
                return try await once(revision, old, new, since: start)
            } catch let failure as StatementFailed {
                if connection.isInTransaction { _ = try? await connection.script("ROLLBACK") }
                left -= 1
                if failure.error.state == "55P03", left > 0, failure.undone, !options.isOneTransaction {
                    log("\(revision.id) did not get a table that others use; trying again, \(left) times more")
                    try await Loop.current?.sleep(for: .seconds(1))
                    continue
                }
                throw try await report(failure, revision, since: start, progress)
            }
        }
    }

    private func section(of revision: Revision) -> Revision.Section {
        direction == .upgrade ? revision.upgrade : revision.downgrade
    }

    /// Runs a revision's statements; those inside a transaction with the version row, when all of them are.
    private func once(_ revision: Revision, _ old: Set<String>, _ new: Set<String>, since start: Instant) async throws {
        var isUndone = true
        for statement in section(of: revision).statements {
            do {
                if statement.isOutside {
                    if connection.isInTransaction {
                        try await commit()
                        isUndone = false
                    }
                    try await connection.script(statement.sql)
                    isUndone = false
                } else {
                    if !connection.isInTransaction { try await connection.script("BEGIN") }
                    try await connection.script(statement.sql)
                }
            } catch let error as PostgresError {
                throw StatementFailed(error: error, statement: statement, undone: isUndone)
            }
        }
        if !connection.isInTransaction { try await connection.script("BEGIN") }
        try await session.move(from: old, to: new, in: graph)
        try await session.record(
            revision, direction.rawValue, since: start, direction == .upgrade ? .applied : .undone)
        if !options.isOneTransaction { try await commit() }
    }

    /// Postgres answers the COMMIT of a transaction that has failed with ROLLBACK, and no error.
    private func commit() async throws {
        guard try await connection.script("COMMIT").tag == "COMMIT" else {
            throw MigrationFailed("the transaction had failed, and was rolled back")
        }
    }

    // MARK: Failing

    private struct StatementFailed: Error {
        let error: PostgresError
        let statement: Revision.Statement
        /// Whether nothing of the revision stays.
        let undone: Bool
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
        _ failure: StatementFailed, _ revision: Revision, since start: Instant, _ progress: Progress
    ) async throws -> MigrationFailed {
        var said = "Nothing of \(revision.id) stays. \(progress.text)"
        if Task.isCancelled { said = "It was interrupted. " + said }
        guard connection.isOpen else {
            return MigrationFailed(failure.error, failure.statement, in: revision, done: said)
        }
        let invalid = failure.statement.isOutside ? try await session.invalidIndexes() : []
        if failure.undone, invalid.isEmpty {
            try await session.record(
                revision, direction.rawValue, since: start, .failed, detail: failure.error.description)
        } else {
            var detail =
                "line \(failure.statement.line) of \(revision.file) failed after others had been carried out outside a transaction"
            if !invalid.isEmpty {
                detail += ", and left invalid: \(invalid.joined(separator: ", ")) (DROP INDEX CONCURRENTLY it)"
            }
            try await session.record(revision, direction.rawValue, since: start, .halfway, detail: detail)
            said = "\(revision.id) failed half-way: \(detail). \(progress.text)"
        }
        return MigrationFailed(failure.error, failure.statement, in: revision, done: said)
    }
}
