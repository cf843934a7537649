import Postgres
import SQL

/// A plain value that stands for a row of a table.
///
/// ```swift
/// struct Lead: Model {
///     var id: Int64
///     var email: String
///
///     struct Columns: Sendable {
///         let id = Column(\Lead.id, "id", .primaryKey, default: .serial)
///         let email = Column(\Lead.email, "email", .length(3...255), .trimmed, .unique)
///     }
///
///     static let columns = Columns()
///     static let table = Table("lead", columns.id, columns.email, make: Lead.init)
///     static let primaryKey = columns.id
/// }
/// ```
public protocol Model: Tabular {
    /// The type of the primary key.
    associatedtype ID: SQLValue, Hashable

    /// What a row is made from, or changed by.
    typealias ColumnValues = ORM.ColumnValues<Self>

    /// The table, and how its rows become models.
    static var table: Table<Self> { get }

    /// The column that names a row.
    static var primaryKey: Column<Self, ID> { get }

    /// Reads a row whose columns are the table's.
    /// - Throws: `DecodingError` when the row is not one of this model's.
    init(row: inout ResultRow) throws(DecodingError)
}

extension Model {
    public static var definition: TableDefinition { table.definition }

    public init(row: inout ResultRow) throws(DecodingError) { self = try Self.table.decode(&row) }
}
