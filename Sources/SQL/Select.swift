/// A query of one table: a condition, an order with an optional start position, and a limit.
public struct Select<Model: Tabular>: Sendable {
    /// The condition; `nil` for all rows.
    private(set) var condition: Condition<Model>?
    private var order = Order<Model>(orderings: [])
    private var count: Int64?

    init() {}

    /// Returns the query with an additional condition, in conjunction with the existing ones.
    public func `where`(_ condition: (Model.Columns) -> Condition<Model>) -> Self {
        var select = self
        let added = condition(Model.columns)
        select.condition = self.condition.map { $0 && added } ?? added
        return select
    }

    /// Returns the query with an order. If every ordering has a position, only the rows after the position are
    /// selected.
    public func ordered(_ orderings: (Model.Columns) -> [Ordering<Model>]) -> Self {
        var select = self
        select.order = Order(orderings: orderings(Model.columns))
        return select
    }

    /// Returns the query with a maximum number of rows.
    public func limit(_ count: Int) -> Self {
        var select = self
        select.count = Int64(count)
        return select
    }

    /// Whether the query has a condition.
    public var isFiltered: Bool { condition != nil }

    /// The statement that reads the selected rows.
    public var statement: Statement {
        guard let (ties, others) = order.branches, count != nil else { return Statement(text(of: wholeCondition)) }
        let branches = [ties, others].map { text(of: narrowed($0)).parenthesized }
        return Statement(Fragment(branches, separator: " UNION ALL ") + ending)
    }

    private func text(of condition: Condition<Model>?) -> Fragment {
        let head = Fragment("SELECT \(Model.definition.columnList) FROM \(Model.definition.reference)")
        return (condition.map { head + " WHERE " + $0.fragment } ?? head) + ending
    }

    /// The ORDER BY and LIMIT clauses of the statement: ` ORDER BY id LIMIT $2`.
    private var ending: Fragment {
        let ordered = Fragment(order.orderings.isEmpty ? "" : " ORDER BY " + order.text)
        return count.map { ordered + Fragment(.text(" LIMIT "), .value($0)) } ?? ordered
    }

    /// The statement that counts the rows that match the condition; order, position and limit are ignored.
    public var countStatement: Statement {
        var statement = Statement(unsafe: "SELECT count(*) FROM \(Model.definition.reference)")
        if let condition { statement.append(Fragment(" WHERE ") + condition.fragment) }
        return statement
    }

    /// Returns the in-memory rows that the query selects, in the query's order.
    public func rows(of rows: some Sequence<Model>) -> [Model] {
        let matches = wholeCondition?.matches ?? { _ in true }
        let found = rows.filter(matches)
        let ordered = order.orderings.isEmpty ? found : found.sorted(by: order.isInOrder)
        return count.map { Array(ordered.prefix(Int($0))) } ?? ordered
    }

    /// Returns the number of in-memory rows that match the condition; order, position and limit are ignored.
    public func count(of rows: some Sequence<Model>) -> Int { rows.count(where: condition?.matches ?? { _ in true }) }

    private var wholeCondition: Condition<Model>? { order.isAfterPosition.map(narrowed) ?? condition }

    private func narrowed(_ added: Condition<Model>) -> Condition<Model> { condition.map { $0 && added } ?? added }
}
