/// A condition on the rows of a table, both as SQL and as a predicate for in-memory rows.
public struct Condition<Model: Sendable>: Sendable {
    /// The condition as SQL.
    let fragment: Fragment
    /// Whether an in-memory row matches the condition.
    public let matches: @Sendable (Model) -> Bool

    /// The conjunction of two conditions (AND).
    public static func && (left: Self, right: Self) -> Self {
        Self(fragment: left.fragment + " AND " + right.fragment) { left.matches($0) && right.matches($0) }
    }

    /// The disjunction of two conditions (OR).
    public static func || (left: Self, right: Self) -> Self {
        Self(fragment: (left.fragment + " OR " + right.fragment).parenthesized) {
            left.matches($0) || right.matches($0)
        }
    }

    /// The negation of a condition (NOT).
    ///
    /// The SQL and the in-memory predicate differ for NULL. In Postgres, a comparison with NULL is unknown, and so is
    /// the negation of the comparison, so that neither matches. In memory, the comparison is false, and the negation
    /// matches.
    public static prefix func ! (condition: Self) -> Self {
        Self(fragment: Fragment("NOT ") + condition.fragment.parenthesized) { !condition.matches($0) }
    }
}

extension Column {
    /// Returns a comparison of the column with a value.
    /// - Parameters:
    ///   - operation: The SQL operator with the spaces around it.
    ///   - value: The right operand, which becomes a parameter.
    ///   - matches: The same comparison for the column's value in an in-memory row.
    package func compared(
        _ operation: String, _ value: some SQLValue, _ matches: @escaping @Sendable (Value) -> Bool
    ) -> Condition<Model> {
        Condition(fragment: Fragment(.text(reference + operation), .value(value))) { [path] in
            matches($0[keyPath: path])
        }
    }
}

extension Column where Value: Equatable {
    /// The condition that the column equals a value; `IS NULL` when the value is `nil`.
    public static func == (column: Self, value: Value) -> Condition<Model> {
        guard !isNull(value) else { return column.testedForNull(" IS NULL") { isNull($0) } }
        return column.compared(" = ", value) { $0 == value && !isNull($0) }
    }

    /// The condition that the column differs from a value; `IS NOT NULL` when the value is `nil`. A column that is
    /// NULL does not match.
    public static func != (column: Self, value: Value) -> Condition<Model> {
        guard !isNull(value) else { return column.testedForNull(" IS NOT NULL") { !isNull($0) } }
        return column.compared(" <> ", value) { $0 != value && !isNull($0) }
    }

    /// Returns the condition that the column is NULL or is not NULL. `test` is ` IS NULL` or ` IS NOT NULL`.
    private func testedForNull(
        _ test: String, _ matches: @escaping @Sendable (Value) -> Bool
    ) -> Condition<Model> {
        Condition(fragment: Fragment(reference + test)) { [path] in matches($0[keyPath: path]) }
    }

    /// Returns the condition that the column equals one of several values. The SQL is `id = ANY($1)`, so that the text
    /// is the same for any number of values.
    public func isIn(_ values: [Value]) -> Condition<Model> {
        let fragment = Fragment(.text("\(reference) = ANY("), .array(values, of: Value.self), .text(")"))
        return Condition(fragment: fragment) { [path] row in
            let value = row[keyPath: path]
            return !Self.isNull(value) && values.contains(value)
        }
    }

    /// Whether a value represents NULL, for which no comparison is true.
    private static func isNull(_ value: Value) -> Bool { Value.null.map { $0 == value } ?? false }
}

extension Column where Value: Comparable {
    /// The condition that the column is less than a value.
    public static func < (column: Self, value: Value) -> Condition<Model> {
        column.compared(" < ", value) { $0 < value }
    }

    /// The condition that the column is less than or equal to a value.
    public static func <= (column: Self, value: Value) -> Condition<Model> {
        column.compared(" <= ", value) { $0 <= value }
    }

    /// The condition that the column is greater than a value.
    public static func > (column: Self, value: Value) -> Condition<Model> {
        column.compared(" > ", value) { $0 > value }
    }

    /// The condition that the column is greater than or equal to a value.
    public static func >= (column: Self, value: Value) -> Condition<Model> {
        column.compared(" >= ", value) { $0 >= value }
    }
}
