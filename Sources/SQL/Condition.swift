/// What rows must be: as SQL, and in memory.
public struct Condition<Model: Sendable>: Sendable {
    /// The condition as SQL.
    let fragment: Fragment
    /// Whether a row in memory is so.
    public let holds: @Sendable (Model) -> Bool

    /// Both.
    public static func && (left: Self, right: Self) -> Self {
        Self(fragment: left.fragment + " AND " + right.fragment) { left.holds($0) && right.holds($0) }
    }

    /// At least one.
    public static func || (left: Self, right: Self) -> Self {
        Self(fragment: (left.fragment + " OR " + right.fragment).parenthesized) { left.holds($0) || right.holds($0) }
    }

    /// Not so. In Postgres, a comparison with NULL is neither so nor not so; in memory, it is not so.
    public static prefix func ! (condition: Self) -> Self {
        Self(fragment: Fragment("NOT ") + condition.fragment.parenthesized) { !condition.holds($0) }
    }
}

extension Column {
    func compared(
        _ operation: String, _ value: some SQLValue, _ holds: @escaping @Sendable (Value) -> Bool
    ) -> Condition<Model> {
        Condition(fragment: Fragment(.text(reference + operation), .value(value))) { [path] in
            holds($0[keyPath: path])
        }
    }
}

extension Column where Value: Equatable {
    /// Equal to a value; `IS NULL` when that is `nil`.
    public static func == (column: Self, value: Value) -> Condition<Model> {
        guard !isNull(value) else { return column.testedForNull(" IS NULL") { isNull($0) } }
        return column.compared(" = ", value) { $0 == value && !isNull($0) }
    }

    /// Different from a value, which NULL is not; `IS NOT NULL` when the value is `nil`.
    public static func != (column: Self, value: Value) -> Condition<Model> {
        guard !isNull(value) else { return column.testedForNull(" IS NOT NULL") { !isNull($0) } }
        return column.compared(" <> ", value) { $0 != value && !isNull($0) }
    }

    private func testedForNull(
        _ test: String, _ holds: @escaping @Sendable (Value) -> Bool
    ) -> Condition<Model> {
        Condition(fragment: Fragment(reference + test)) { [path] in holds($0[keyPath: path]) }
    }

    /// Whether the value is one of these: `id = ANY($1)`, one text for any number of them.
    public func isIn(_ values: [Value]) -> Condition<Model> {
        let fragment = Fragment(.text("\(reference) = ANY("), .array(values, of: Value.self), .text(")"))
        return Condition(fragment: fragment) { [path] row in
            let value = row[keyPath: path]
            return !Self.isNull(value) && values.contains(value)
        }
    }

    /// Whether a value stands for NULL, which no comparison holds for.
    private static func isNull(_ value: Value) -> Bool { Value.null.map { $0 == value } ?? false }
}

extension Column where Value: Comparable {
    public static func < (column: Self, value: Value) -> Condition<Model> {
        column.compared(" < ", value) { $0 < value }
    }

    public static func <= (column: Self, value: Value) -> Condition<Model> {
        column.compared(" <= ", value) { $0 <= value }
    }

    public static func > (column: Self, value: Value) -> Condition<Model> {
        column.compared(" > ", value) { $0 > value }
    }

    public static func >= (column: Self, value: Value) -> Condition<Model> {
        column.compared(" >= ", value) { $0 >= value }
    }
}
