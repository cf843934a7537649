/// A value for a column of a row that is written.
public struct Assignment<Model: Sendable>: Sendable {
    let column: String
    let value: any SQLValue
    /// Writes the value into a row in memory.
    public let apply: @Sendable (inout Model) -> Void
    /// The column's place in the model.
    public let path: PartialKeyPath<Model> & Sendable
}

extension Assignment {
    /// The value, when it is one of `column`'s.
    public func value<Value>(of column: Column<Model, Value>) -> Value? {
        path == column.path ? value as? Value : nil
    }
}

extension Column {
    /// Gives the column a value: `$0.name.set(to: "Spring")`.
    public func set(to value: Value) -> Assignment<Model> {
        Assignment(column: reference, value: value, apply: { [path] in $0[keyPath: path] = value }, path: path)
    }
}
