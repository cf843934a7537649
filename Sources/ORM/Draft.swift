import SQL

/// What a row is made from, or changed by: values for some of its columns.
public struct Draft<Model: ORM.Model>: Sendable, ExpressibleByArrayLiteral {
    /// The values; a column comes once.
    public var values: [Assignment<Model>]

    /// Makes a draft: `Draft<Campaign>([Campaign.columns.name.set(to: "Spring")])`.
    public init(_ values: [Assignment<Model>]) { self.values = values }

    public init(arrayLiteral values: Assignment<Model>...) { self.values = values }

    /// Gives a column a value, in place of the one that it had.
    public mutating func set<Value>(_ column: Column<Model, Value>, to value: Value) {
        values.removeAll { $0.path == column.path }
        values.append(column.set(to: value))
    }

    /// The value that it gives a column; `nil` when it gives none.
    public func value<Value>(of column: Column<Model, Value>) -> Value? {
        values.lazy.compactMap { $0.value(of: column) }.first
    }
}
