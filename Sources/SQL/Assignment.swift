/// A value for a column of a row that is written.
public struct Assignment<Model: Sendable>: Sendable {
    /// The column's name, as SQL wants it.
    public let column: String
    /// The value; `nil` is the column's default.
    let value: (any SQLValue)?
    /// Writes the value into a row in memory.
    public let apply: @Sendable (inout Model, _ now: Timestamp) -> Void
    /// The column's place in the model.
    public let path: PartialKeyPath<Model> & Sendable
}

extension Assignment {
    /// The value as Postgres writes it, where that is how Swift does; `nil` for NULL and the default.
    public var text: String? { (value as? any CustomStringConvertible)?.description }

    /// The value, when it is one of `column`'s.
    public func value<Value>(of column: Column<Model, Value>) -> Value? {
        path == column.path ? value as? Value : nil
    }

    /// The value as SQL.
    var fragment: Fragment { value.map { Fragment(.value($0)) } ?? Fragment("DEFAULT") }
}

extension Column {
    /// Gives the column a value: `$0.name.set(to: "Spring")`.
    public func set(to value: Value) -> Assignment<Model> {
        Assignment(column: reference, value: value, apply: { [path] row, _ in row[keyPath: path] = value }, path: path)
    }

    /// Gives the column its default, or NULL: `$0.description.reset()`; `nil` when it has neither.
    public func reset() -> Assignment<Model>? {
        guard let fallback else { return Value.null.map(set) }
        return Assignment(
            column: reference, value: nil, apply: { [path] row, now in row[keyPath: path] = fallback.make(0, now) },
            path: path)
    }

    /// What an insert that leaves the column out can say instead: its default, where that is a constant, or NULL.
    public func constant() -> Assignment<Model>? { (fallback == nil ? Value.null : fallback?.constant).map(set) }
}
