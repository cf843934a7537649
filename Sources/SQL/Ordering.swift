/// One column of an ORDER BY clause with its direction, and optionally with a position to continue after (keyset
/// pagination). An ordering applies to SQL and to in-memory rows.
public struct Ordering<Model: Sendable>: Sendable {
    let reference: String
    let isAscending: Bool
    /// The column's value in the last row of the previous page; `nil` to start with the first row.
    let position: (any SQLValue)?
    /// Compares two in-memory rows by the column: the result is negative if the first row comes before the second,
    /// positive if the first row comes after the second, and zero if the column's values are equal.
    let compare: @Sendable (Model, Model) -> Int
    /// Compares an in-memory row with the position; a positive number means that the row comes after the position.
    let compareWithPosition: @Sendable (Model) -> Int
}

extension Column where Value: Comparable {
    /// The ascending order of the column's values.
    public var ascending: Ordering<Model> { ordering(isAscending: true, after: nil) }

    /// The descending order of the column's values.
    public var descending: Ordering<Model> { ordering(isAscending: false, after: nil) }

    /// Returns the ascending order of the column's values, with a position to continue after. `value` is the column's
    /// value in the last row of the previous page.
    public func ascending(after value: Value) -> Ordering<Model> { ordering(isAscending: true, after: value) }

    /// Returns the descending order of the column's values, with a position to continue after. `value` is the column's
    /// value in the last row of the previous page.
    public func descending(after value: Value) -> Ordering<Model> { ordering(isAscending: false, after: value) }

    private func ordering(isAscending: Bool, after position: Value?) -> Ordering<Model> {
        let sign = isAscending ? 1 : -1
        let compare: @Sendable (Value, Value) -> Int = { $0 == $1 ? 0 : $0 < $1 ? -sign : sign }
        return Ordering(
            reference: reference, isAscending: isAscending, position: position,
            compare: { [path] in compare($0[keyPath: path], $1[keyPath: path]) },
            compareWithPosition: { [path] row in position.map { compare(row[keyPath: path], $0) } ?? 1 })
    }
}

/// A list of orderings, the most significant one first. The orderings store closures instead of key paths, because
/// generic code instantiates a key path anew at each use.
struct Order<Model: Sendable>: Sendable {
    let orderings: [Ordering<Model>]

    /// The columns and directions of an ORDER BY clause: `created_on DESC, id`.
    var text: String {
        orderings.map { $0.reference + ($0.isAscending ? "" : " DESC") }.joined(separator: ", ")
    }

    /// The condition for the rows after the position, that is, for the next page (keyset pagination); `nil` unless
    /// every ordering has a position.
    var isAfterPosition: Condition<Model>? {
        guard !orderings.isEmpty else { return nil }
        let positions = orderings.compactMap { $0.position }
        guard positions.count == orderings.count else { return nil }
        let isSameDirection = orderings.allSatisfy { $0.isAscending == orderings[0].isAscending }
        let fragment = isSameDirection ? rowComparison(positions) : columnComparisons(positions)
        return Condition(fragment: fragment) { row in
            (orderings.lazy.map { $0.compareWithPosition(row) }.first { $0 != 0 } ?? 0) > 0
        }
    }

    /// The SQL of `isAfterPosition`, split into two conditions, each of which selects a single range of the index on
    /// the two columns. `ties` selects the rows that equal the position in the first column and are after the position
    /// in the second column. `others` selects the rows that are after the position in the first column. `nil` unless
    /// the order has two orderings, with opposite directions and a position each.
    var branches: (ties: Condition<Model>, others: Condition<Model>)? {
        guard orderings.count == 2, orderings[0].isAscending != orderings[1].isAscending,
            let first = orderings[0].position, let second = orderings[1].position
        else { return nil }
        let equal = Fragment(.text("\(orderings[0].reference) = "), .value(first))
        return (
            Condition(fragment: equal + " AND " + isAfter(orderings[1], second)) { _ in true },
            Condition(fragment: isAfter(orderings[0], first)) { _ in true }
        )
    }

    /// Returns the condition that the ordering's column is after a position.
    private func isAfter(_ ordering: Ordering<Model>, _ position: any SQLValue) -> Fragment {
        Fragment(.text(ordering.reference + (ordering.isAscending ? " > " : " < ")), .value(position))
    }

    /// Returns the condition for the rows after the position as one row comparison, which is a single range of an
    /// index: `(created_on, id) < ($1, $2)`.
    private func rowComparison(_ positions: [any SQLValue]) -> Fragment {
        let operation = orderings[0].isAscending ? " > " : " < "
        let values = Fragment(positions.map { Fragment(.value($0)) }, separator: ", ")
        guard orderings.count > 1 else { return Fragment(orderings[0].reference + operation) + values }
        let names = orderings.map { $0.reference }.joined(separator: ", ")
        return Fragment("(\(names))\(operation)") + values.parenthesized
    }

    /// Returns the condition for the rows after the position with one comparison per column, for orderings of different
    /// directions: `(created_on < $1 OR (created_on = $2 AND id > $3))`.
    private func columnComparisons(_ positions: [any SQLValue]) -> Fragment {
        let steps = orderings.indices.map { step in
            let equal = (0..<step).map { Fragment(.text("\(orderings[$0].reference) = "), .value(positions[$0])) }
            let all = Fragment(equal + [isAfter(orderings[step], positions[step])], separator: " AND ")
            return step == 0 ? all : all.parenthesized
        }
        return Fragment(steps, separator: " OR ").parenthesized
    }

    /// Whether an in-memory row comes before another one in this order.
    func isInOrder(_ left: Model, _ right: Model) -> Bool {
        (orderings.lazy.map { $0.compare(left, right) }.first { $0 != 0 } ?? 0) < 0
    }
}
