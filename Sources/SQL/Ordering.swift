/// By what rows are ordered, and from where on: as SQL, and in memory.
public struct Ordering<Model: Sendable>: Sendable {
    let reference: String
    let isAscending: Bool
    /// The value of the last row that is not wanted any more.
    let position: (any SQLValue)?
    /// How two rows in memory are ordered: below, at or above 0.
    let compare: @Sendable (Model, Model) -> Int
    /// How a row in memory is ordered relative to the position.
    let compareWithPosition: @Sendable (Model) -> Int
}

extension Column where Value: Comparable {
    /// The smallest value first.
    public var ascending: Ordering<Model> { ordering(isAscending: true, after: nil) }

    /// The largest value first.
    public var descending: Ordering<Model> { ordering(isAscending: false, after: nil) }

    /// The smallest value first, from behind the row with this value on.
    public func ascending(after value: Value) -> Ordering<Model> { ordering(isAscending: true, after: value) }

    /// The largest value first, from behind the row with this value on.
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

/// A list of orderings, the first one counting most. Closures, and not key paths: one that is generic is made anew at each use.
struct Order<Model: Sendable>: Sendable {
    let orderings: [Ordering<Model>]

    /// `created_on DESC, id`
    var text: String {
        orderings.map { $0.reference + ($0.isAscending ? "" : " DESC") }.joined(separator: ", ")
    }

    /// What lies behind the position, if every ordering has one: keyset paging, which an index answers at any depth.
    var isBehindPosition: Condition<Model>? {
        guard !orderings.isEmpty else { return nil }
        let positions = orderings.compactMap { $0.position }
        guard positions.count == orderings.count else { return nil }
        let isOneWay = orderings.allSatisfy { $0.isAscending == orderings[0].isAscending }
        let fragment = isOneWay ? rowComparison(positions) : steps(positions)
        return Condition(fragment: fragment) { row in
            (orderings.lazy.map { $0.compareWithPosition(row) }.first { $0 != 0 } ?? 0) > 0
        }
    }

    /// What lies behind the position, as two ranges of one index, when two directions differ: the rows that are equal in the first
    /// ordering, and those behind them.
    var branches: (ties: Condition<Model>, others: Condition<Model>)? {
        guard orderings.count == 2, orderings[0].isAscending != orderings[1].isAscending,
            let first = orderings[0].position, let second = orderings[1].position
        else { return nil }
        let equal = Fragment(.text("\(orderings[0].reference) = "), .value(first))
        return (
            Condition(fragment: equal + " AND " + behind(orderings[1], second)) { _ in true },
            Condition(fragment: behind(orderings[0], first)) { _ in true }
        )
    }

    private func behind(_ ordering: Ordering<Model>, _ position: any SQLValue) -> Fragment {
        Fragment(.text(ordering.reference + (ordering.isAscending ? " > " : " < ")), .value(position))
    }

    /// `(created_on, id) < ($1, $2)`: one range of an index.
    private func rowComparison(_ positions: [any SQLValue]) -> Fragment {
        let operation = orderings[0].isAscending ? " > " : " < "
        let values = Fragment(positions.map { Fragment(.value($0)) }, separator: ", ")
        guard orderings.count > 1 else { return Fragment(orderings[0].reference + operation) + values }
        let names = orderings.map { $0.reference }.joined(separator: ", ")
        return Fragment("(\(names))\(operation)") + values.parenthesized
    }

    /// `(created_on < $1 OR (created_on = $2 AND id > $3))`: directions that differ.
    private func steps(_ positions: [any SQLValue]) -> Fragment {
        let steps = orderings.indices.map { step in
            let equal = (0..<step).map { Fragment(.text("\(orderings[$0].reference) = "), .value(positions[$0])) }
            let all = Fragment(equal + [behind(orderings[step], positions[step])], separator: " AND ")
            return step == 0 ? all : all.parenthesized
        }
        return Fragment(steps, separator: " OR ").parenthesized
    }

    /// Whether a row in memory comes before another.
    func isInOrder(_ left: Model, _ right: Model) -> Bool {
        (orderings.lazy.map { $0.compare(left, right) }.first { $0 != 0 } ?? 0) < 0
    }
}
