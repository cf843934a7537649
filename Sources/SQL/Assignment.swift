/// A value for one column of a row that is inserted or updated.
public struct Assignment<Model: Sendable>: Sendable {
    /// The column's name, quoted where SQL requires it.
    public let column: String
    /// The value; `nil` stands for the column's default.
    let value: (any SQLValue)?
    /// Assigns the value to an in-memory row. `now` is the current time, for the default `now()`.
    public let apply: @Sendable (inout Model, _ now: Timestamp) -> Void
    /// The key path of the model's property that the column maps to.
    public let path: PartialKeyPath<Model> & Sendable
}

extension Assignment {
    /// The value's Swift description, which for text, integers and UUIDs is also Postgres's text form; `nil` for a type
    /// without a description, for NULL and for the column's default.
    public var text: String? { (value as? any CustomStringConvertible)?.description }

    /// Returns the value that is assigned to `column`; `nil` if this assignment is for another column, or assigns the
    /// column's default.
    public func value<Value>(of column: Column<Model, Value>) -> Value? {
        path == column.path ? value as? Value : nil
    }

    /// The value as SQL: a parameter, or `DEFAULT`.
    var fragment: Fragment { value.map { Fragment(.value($0)) } ?? Fragment("DEFAULT") }
}

extension Column {
    /// Returns an assignment of a value to the column: `$0.name.set(to: "Spring")`.
    public func set(to value: Value) -> Assignment<Model> {
        Assignment(column: reference, value: value, apply: { [path] row, _ in row[keyPath: path] = value }, path: path)
    }

    /// Returns an assignment of the column's default, or of NULL if the column has no default:
    /// `$0.description.reset()`. Returns `nil` if the column has no default and is not nullable.
    public func reset() -> Assignment<Model>? {
        guard let defaultValue else { return Value.null.map(set) }
        return Assignment(
            column: reference, value: nil,
            apply: { [path] row, now in row[keyPath: path] = defaultValue.compute(0, now) },
            path: path)
    }

    /// Returns an assignment of the column's default if that is a constant, or of NULL if the column has no default and
    /// is nullable; otherwise returns `nil`. An INSERT that omits the column would store the same value.
    public func constant() -> Assignment<Model>? {
        (defaultValue == nil ? Value.null : defaultValue?.constant).map(set)
    }
}
