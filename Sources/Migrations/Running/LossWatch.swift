import Postgres
import SQL

/// Looks in an open transaction for what statements lose: by the catalog, and by the server's counts of deleted rows.
struct LossWatch {
    private let connection: Connection
    private let before: Holdings
    private let deleted: [Loss]
    /// Whether the statements may truncate a table and fill it again.
    private let mayTruncate: Bool

    /// Looks at what is there before the statements.
    init(_ connection: Connection, _ statements: [Revision.Statement]) async throws {
        self.connection = connection
        before = try await connection.holdings()
        deleted = try await connection.deletions(from: before)
        mayTruncate = statements.contains { $0.sql.lowercased().contains("truncate") }
    }

    /// What is lost since, and how many rows of it are left.
    func losses() async throws -> [Loss: Int64] {
        let now = try await connection.holdings(since: before, counting: mayTruncate)
        let losses = before.losses(comparedWith: now)
        let deletions = try await connection.deletions(from: before).filter { !deleted.contains($0) }
        let left = Dictionary(
            now.tables.compactMap { id, table in before.tables[id].map { ($0.name, table.left ?? 0) } },
            uniquingKeysWith: { first, _ in first })
        return Dictionary(
            uniqueKeysWithValues: (losses + deletions).map { loss in
                if case .truncated(let table) = loss { (loss, left[table] ?? 0) } else { (loss, 0) }
            })
    }

    /// What of these losses is more than nothing, in words, once the transaction is where it was; their tables are locked from then on.
    func lost(_ losses: [Loss: Int64]) async throws -> [String] {
        var texts: [String] = []
        for (loss, left) in losses.sorted(by: { $0.key.text(0) < $1.key.text(0) }) {
            if let table = loss.lockedTable { try await connection.script("LOCK TABLE \(table)") }
            // Counting may take long, and a script has no deadline; what it returns is text.
            var row = try await connection.script(loss.count).row(0)
            let count = (Int64(try row.next(String.self)) ?? 0) - left
            if count > 0 { texts.append(loss.text(count)) }
        }
        return texts
    }
}

extension Loss {
    /// The table whose rows are counted.
    fileprivate var lockedTable: String? {
        switch self {
        case .table(let table), .truncated(let table), .column(let table, _), .narrowed(let table, _, _, _): table
        case .deleted: nil
        }
    }
}
