import Postgres
import SQL

/// Detects which data the statements of an open transaction delete, by comparing catalog states, and by the server's
/// counts of deleted rows.
struct DataLossDetector {
    private let connection: Connection
    private let before: DataSnapshot
    private let deleted: [DataLoss]
    /// Whether the statements contain TRUNCATE. If so, rows are counted, since a truncated table may have been filled
    /// again.
    private let mayTruncate: Bool

    /// Reads the state of the database before the statements run.
    init(_ connection: Connection, _ statements: [Revision.Statement]) async throws {
        self.connection = connection
        before = try await connection.dataSnapshot()
        deleted = try await connection.deletions(from: before)
        mayTruncate = statements.contains { $0.sql.lowercased().contains("truncate") }
    }

    /// Returns the data losses since the detector was created. The value for a truncated table is its current number of
    /// rows; the value for any other loss is 0.
    func losses() async throws -> [DataLoss: Int64] {
        let now = try await connection.dataSnapshot(since: before, counting: mayTruncate)
        let losses = before.losses(comparedWith: now)
        let deletions = try await connection.deletions(from: before).filter { !deleted.contains($0) }
        let remainingRows = Dictionary(
            now.tables.compactMap { id, table in before.tables[id].map { ($0.name, table.rowCount ?? 0) } },
            uniquingKeysWith: { first, _ in first })
        return Dictionary(
            uniqueKeysWithValues: (losses + deletions).map { loss in
                if case .truncated(let table) = loss { (loss, remainingRows[table] ?? 0) } else { (loss, 0) }
            })
    }

    /// Counts the lost rows or values, and describes each loss whose count is not zero. The caller must have rolled
    /// back the statements, so that the lost data can be counted. The tables are locked first, so that no rows are
    /// added after counting.
    func descriptions(of losses: [DataLoss: Int64]) async throws -> [String] {
        var texts: [String] = []
        for (loss, remaining) in losses.sorted(by: { $0.key.text(0) < $1.key.text(0) }) {
            if let table = loss.lockedTable { try await connection.script("LOCK TABLE \(table)") }
            // Counting may take long, and a script is not subject to the statement timeout; its results are
            // text.
            var row = try await connection.script(loss.count).row(0)
            let count = (Int64(try row.next(String.self)) ?? 0) - remaining
            if count > 0 { texts.append(loss.text(count)) }
        }
        return texts
    }
}

extension DataLoss {
    /// The table to lock before its rows are counted; `nil` for deleted rows, which the server has already counted.
    fileprivate var lockedTable: String? {
        switch self {
        case .table(let table), .truncated(let table), .column(let table, _), .narrowed(let table, _, _, _): table
        case .deleted: nil
        }
    }
}
