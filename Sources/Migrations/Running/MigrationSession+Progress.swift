import EventLoop
import Postgres
import SQL

/// The position that the execution of a section has reached. If the section takes several transactions, the position
/// after each transaction is recorded in `migration_history`, within that transaction if possible.
struct Position: Hashable {
    /// The number of completed statements.
    var statements = 0
    /// The last key of the completed batches of the next statement; `nil` if no batch is completed.
    var key: String?
    /// The greatest key when the first batch began; the last batch ends at this key.
    var end: String?
    /// The number of the table's rows in the completed batches.
    var rows: Int64 = 0

    /// Whether neither a statement nor a batch is completed.
    var isStart: Bool { statements == 0 && key == nil }

    /// The position after `count` more statements.
    func after(_ count: Int) -> Position { Position(statements: statements + count) }
}

/// A position, with the checksum of the statements up to it.
struct Progress: Hashable {
    var position: Position
    /// The checksum of the completed statements, including one of which only some batches are completed.
    var done: String
}

/// The record of an earlier run that left a revision neither applied nor rolled back.
struct IncompleteRun {
    /// The position at which the run stopped.
    let position: Position
    /// Whether it is certain that all statements before the position took effect, and none after it.
    let isPositionExact: Bool
    /// Why the run stopped.
    let detail: String
    /// The direction of the run: `upgrade` or `downgrade`.
    let direction: String
    /// The checksum of the executed statements.
    let done: String
}

extension MigrationSession {
    /// Returns the record of a revision's last run if that run left the revision incomplete; otherwise `nil`.
    func incompleteRun(of revision: Revision) async throws -> IncompleteRun? {
        guard try await tableExists("migration_history") else { return nil }
        // The table lacks the column if an older program has created it.
        let progress = "to_jsonb(history) -> 'progress'"
        let result = try await connection.execute(
            """
            SELECT outcome, detail, direction, coalesce((\(unsafe: progress) ->> 'statements')::int8, 0), \
            \(unsafe: progress) ->> 'key', \(unsafe: progress) ->> 'end', coalesce((\(unsafe: progress) ->> 'rows')::int8, 0), \
            coalesce(\(unsafe: progress) ->> 'done', '') FROM \(unsafe: qualified("migration_history")) history \
            WHERE revision = \(revision.id) AND outcome <> 'accepted' ORDER BY id DESC LIMIT 1
            """)
        guard result.count == 1 else { return nil }
        var row = result.row(0)
        let outcome = Outcome(rawValue: try row.next())
        let (detail, direction) = (try row.next(String.self), try row.next(String.self))
        let position = Position(
            statements: Int(try row.next(Int64.self)), key: try row.next(), end: try row.next(), rows: try row.next())
        guard outcome == .halfway || outcome == .stopped && !position.isStart else { return nil }
        return IncompleteRun(
            position: position, isPositionExact: outcome == .stopped, detail: detail, direction: direction,
            done: try row.next())
    }

    /// Whether the statements that an incomplete run has executed are unchanged in the revision's file.
    func isUnchanged(_ incompleteRun: IncompleteRun, in statements: [Revision.Statement]) async throws -> Bool {
        guard incompleteRun.position.statements <= statements.count else { return false }
        return incompleteRun.done.isEmpty
            ? true : try await checksum(of: statements, upTo: incompleteRun.position) == incompleteRun.done
    }

    /// Returns the checksum of a section's statements before a position, including a statement of which only some
    /// batches are completed.
    func checksum(of statements: [Revision.Statement], upTo position: Position) async throws -> String {
        let count = position.statements + (position.key == nil ? 0 : 1)
        // The same key value selects other rows if the key column has changed.
        let texts = statements.prefix(count).map { $0.sql + ($0.batches.map { " by \($0.key)" } ?? "") }
        let text = texts.joined(separator: ";\n")
        var row = try await connection.execute(
            "SELECT encode(sha256(convert_to(\(text), 'UTF8')), 'hex')"
        ).row(0)
        return try row.next()
    }

    /// Updates a run's row in `migration_history`. While the run is in progress, callers pass the outcome that is
    /// correct if the run is interrupted before the next update.
    func updateProgress(
        _ historyID: Int64, since start: Instant, _ outcome: Outcome, _ detail: String, _ progress: Progress
    ) async throws {
        _ = try await connection.execute(
            """
            UPDATE \(unsafe: qualified("migration_history")) SET outcome = \(outcome.rawValue), detail = \(detail), \
            duration_ms = \(Instant.now.duration(since: start).milliseconds), progress = jsonb_build_object(\
            'statements', \(Int64(progress.position.statements)), 'key', \(progress.position.key as String?), \
            'end', \(progress.position.end as String?), 'rows', \(progress.position.rows), 'done', \(progress.done)) WHERE id = \(historyID)
            """)
    }
}
