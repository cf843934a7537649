import EventLoop
import Postgres
import SQL

/// How far a revision has come that is not one transaction: it is kept in `migration_history`, and committed with what has been done.
struct Place: Hashable {
    /// How many of its statements are done.
    var statements = 0
    /// The key up to which the batches of the next one are done.
    var key: String?
    /// The greatest key when they began, at which they end.
    var end: String?
    /// How many rows lie before that key.
    var rows: Int64 = 0

    /// Whether nothing is done.
    var isStart: Bool { statements == 0 && key == nil }

    /// The place behind more statements.
    func after(_ count: Int) -> Place { Place(statements: statements + count) }
}

/// A place, with the checksum of what is done.
struct Progress: Hashable {
    var place: Place
    var done: String
}

/// What an earlier run has left of a revision that it neither applied nor rolled back.
struct Halt {
    let place: Place
    /// Whether all before the place is done and nothing behind it.
    let isCertain: Bool
    let detail: String
    let direction: String
    /// The checksum of what was run.
    let done: String
}

extension MigrationSession {
    /// Where the last run of a revision stopped; `nil` when it is applied, or is not.
    func halt(of revision: Revision) async throws -> Halt? {
        guard try await has("migration_history") else { return nil }
        // A table that an older program has made lacks the column.
        let progress = "to_jsonb(history) -> 'progress'"
        let result = try await connection.execute(
            """
            SELECT outcome, detail, direction, coalesce((\(unsafe: progress) ->> 'statements')::int8, 0), \
            \(unsafe: progress) ->> 'key', \(unsafe: progress) ->> 'end', coalesce((\(unsafe: progress) ->> 'rows')::int8, 0), \
            coalesce(\(unsafe: progress) ->> 'done', '') FROM \(unsafe: own("migration_history")) history \
            WHERE revision = \(revision.id) AND outcome <> 'accepted' ORDER BY id DESC LIMIT 1
            """)
        guard result.count == 1 else { return nil }
        var row = result.row(0)
        let outcome = Outcome(rawValue: try row.next())
        let (detail, direction) = (try row.next(String.self), try row.next(String.self))
        let place = Place(
            statements: Int(try row.next(Int64.self)), key: try row.next(), end: try row.next(), rows: try row.next())
        guard outcome == .halfway || outcome == .stopped && !place.isStart else { return nil }
        return Halt(
            place: place, isCertain: outcome == .stopped, detail: detail, direction: direction, done: try row.next())
    }

    /// Whether what a run has carried out still stands in the file.
    func isTrue(_ halt: Halt, of statements: [Revision.Statement]) async throws -> Bool {
        guard halt.place.statements <= statements.count else { return false }
        return halt.done.isEmpty ? true : try await checksum(of: statements, upTo: halt.place) == halt.done
    }

    /// The checksum of what is done of a section, or begun.
    func checksum(of statements: [Revision.Statement], upTo place: Place) async throws -> String {
        let count = place.statements + (place.key == nil ? 0 : 1)
        // A key leads to other rows by another column.
        let texts = statements.prefix(count).map { $0.sql + ($0.batches.map { " by \($0.key)" } ?? "") }
        let text = texts.joined(separator: ";\n")
        var row = try await connection.execute(
            "SELECT encode(sha256(convert_to(\(text), 'UTF8')), 'hex')"
        ).row(0)
        return try row.next()
    }

    /// Writes into a run's row how far it has come and what would be true if it ended now.
    func note(
        _ entry: Int64, since start: Instant, _ outcome: Outcome, _ detail: String, _ progress: Progress
    ) async throws {
        _ = try await connection.execute(
            """
            UPDATE \(unsafe: own("migration_history")) SET outcome = \(outcome.rawValue), detail = \(detail), \
            duration_ms = \(Instant.now.duration(since: start).milliseconds), progress = jsonb_build_object(\
            'statements', \(Int64(progress.place.statements)), 'key', \(progress.place.key as String?), \
            'end', \(progress.place.end as String?), 'rows', \(progress.place.rows), 'done', \(progress.done)) WHERE id = \(entry)
            """)
    }
}
