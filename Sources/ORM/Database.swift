import Postgres
import SQL

/// The door to Postgres: statements go in, models come out, and nothing happens that is not written down.
///
/// There is no identity map and no flush. A read is one statement, on connections that all requests share; a write is one
/// statement that returns what it wrote; several writes stand in a `transaction`.
public struct Database: Sendable {
    private let pool: Pool

    /// Makes a database for the loop that the caller runs on; it connects when it is first used.
    public init(_ configuration: PostgresConfiguration) { pool = Pool(configuration) }

    /// Reads all rows of a statement that changes nothing.
    /// - Throws: `PostgresError` and `DecodingError`.
    public func all<M: Model>(_ statement: Statement, as: M.Type = M.self) async throws -> [M] {
        let result = try await pool.read(statement)
        return try (0..<result.count).map(result.model)
    }

    /// Reads the first row of a statement that changes nothing:
    /// `first("SELECT \(Campaign.columns) FROM campaign WHERE id = \(id)", as: Campaign.self)`.
    /// - Returns: `nil` when there is no row.
    /// - Throws: `PostgresError` and `DecodingError`.
    public func first<M: Model>(_ statement: Statement, as: M.Type = M.self) async throws -> M? {
        let result = try await pool.read(statement)
        return result.count > 0 ? try result.model(0) : nil
    }

    /// Runs a statement that inserts one row, and reads what it returns.
    /// - Throws: `PostgresError` and `DecodingError`.
    public func insert<M: Model>(_ statement: Statement, returning: M.Type = M.self) async throws -> M {
        try await pool.lease { try await $0.execute(statement) }.model(0)
    }
}

extension Result {
    fileprivate func model<M: Model>(_ index: Int) throws -> M {
        var row = row(index)
        return try M(row: &row)
    }
}
