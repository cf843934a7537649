import Postgres
import SQL

/// A value type that represents a row of a table.
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

    /// Values for some columns of a row that is inserted or updated.
    typealias ColumnValues = ORM.ColumnValues<Self>

    /// The model's table, which also decodes and creates models.
    static var table: Table<Self> { get }

    /// The primary key column.
    static var primaryKey: Column<Self, ID> { get }

    /// Decodes a row that has the table's columns in the table's order.
    /// - Throws: `DecodingError` if the columns do not match the model.
    init(row: inout ResultRow) throws(DecodingError)
}

extension Model {
    public static var definition: TableDefinition { table.definition }

    public init(row: inout ResultRow) throws(DecodingError) { self = try Self.table.decode(&row) }
}
