import Postgres
import SQL

/// A plain value that stands for a row of a table.
public protocol Model: Sendable {
    /// The columns that it is read from, in the order in which `init(row:)` reads them.
    static var columns: ColumnList { get }

    /// Reads a row that was selected with `columns`.
    /// - Throws: `DecodingError` when the row is not one of this model's.
    init(row: inout Row) throws
}
