/// A type whose values represent rows of a table.
public protocol Tabular: Sendable {
    /// A type with one property for each column of the table.
    associatedtype Columns: Sendable

    /// The table's columns.
    static var columns: Columns { get }

    /// The table's definition in Postgres.
    static var definition: TableDefinition { get }
}

extension Tabular {
    /// The query for all rows, in no particular order.
    public static var all: Select<Self> { Select() }

    /// Returns the query for the rows that match a condition: `Campaign.where { $0.isActive == true && $0.id > 7 }`.
    public static func `where`(_ condition: (Columns) -> Condition<Self>) -> Select<Self> { all.where(condition) }
}
