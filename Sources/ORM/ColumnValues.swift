import SQL

/// Values for some columns of a row that is inserted or updated.
public struct ColumnValues<Model: ORM.Model>: Sendable, ExpressibleByArrayLiteral {
    /// The assignments. There must be at most one per column.
    public var assignments: [Assignment<Model>]

    /// Creates column values: `ColumnValues<Campaign>([Campaign.columns.name.set(to: "Spring")])`.
    public init(_ assignments: [Assignment<Model>]) { self.assignments = assignments }

    public init(arrayLiteral assignments: Assignment<Model>...) { self.assignments = assignments }

    /// Assigns a value to a column, replacing an existing assignment of the column.
    public mutating func set<Value>(_ column: Column<Model, Value>, to value: Value) {
        assignments.removeAll { $0.path == column.path }
        assignments.append(column.set(to: value))
    }

    /// Returns the value that is assigned to a column; `nil` if there is none.
    public func value<Value>(of column: Column<Model, Value>) -> Value? {
        assignments.lazy.compactMap { $0.value(of: column) }.first
    }
}
