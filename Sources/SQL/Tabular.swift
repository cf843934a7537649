/// A type whose values stand for the rows of a table.
public protocol Tabular: Sendable {
    /// A struct that has the columns as its members.
    associatedtype Columns: Sendable

    /// The columns, by name.
    static var columns: Columns { get }

    /// What Postgres knows of the table.
    static var definition: TableDefinition { get }
}

extension Tabular {
    /// All rows, in no order.
    public static var all: Select<Self> { Select() }

    /// The rows that are so: `Campaign.where { $0.isActive == true && $0.id > 7 }`.
    public static func `where`(_ condition: (Columns) -> Condition<Self>) -> Select<Self> { all.where(condition) }
}
