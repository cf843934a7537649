import SQL

/// What a row is made from, or changed by: values for some of its columns.
public struct ColumnValues<Model: ORM.Model>: Sendable, ExpressibleByArrayLiteral {
    /// The values; a column comes once.
    public var assignments: [Assignment<Model>]

    /// Makes column values: `ColumnValues<Campaign>([Campaign.columns.name.set(to: "Spring")])`.
    public init(_ assignments: [Assignment<Model>]) { self.assignments = assignments }

    public init(arrayLiteral assignments: Assignment<Model>...) { self.assignments = assignments }

    /// Gives a column a value, in place of the one that it had.
    public mutating func set<Value>(_ column: Column<Model, Value>, to value: Value) {
        assignments.removeAll { $0.path == column.path }
        assignments.append(column.set(to: value))
    }

    /// The value that it gives a column; `nil` when it gives none.
    public func value<Value>(of column: Column<Model, Value>) -> Value? {
        assignments.lazy.compactMap { $0.value(of: column) }.first
    }
}
