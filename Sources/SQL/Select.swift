/// Rows of one table: which, in what order, from where on, how many.
///
/// `Campaign.where { $0.isActive == true }.ordered { [$0.id.ascending(after: 7)] }.limit(2)` is
/// `SELECT id, name … FROM campaign WHERE is_active = $1 AND id > $2 ORDER BY id LIMIT $3`.
public struct Select<Model: Tabular>: Sendable {
    /// Which rows; `nil` for all of them.
    private(set) var condition: Condition<Model>?
    private var order = Order<Model>(orderings: [])
    private var count: Int64?

    init() {}

    /// Only the rows that are so, besides what was said before.
    public func `where`(_ condition: (Model.Columns) -> Condition<Model>) -> Self {
        var select = self
        let added = condition(Model.columns)
        select.condition = self.condition.map { $0 && added } ?? added
        return select
    }

    /// In this order; from behind a position on, when each ordering has one.
    public func ordered(_ orderings: (Model.Columns) -> [Ordering<Model>]) -> Self {
        var select = self
        select.order = Order(orderings: orderings(Model.columns))
        return select
    }

    /// No more than so many rows.
    public func limit(_ count: Int) -> Self {
        var select = self
        select.count = Int64(count)
        return select
    }

    /// Whether it says which rows.
    public var isFiltered: Bool { condition != nil }

    /// The statement that reads them.
    public var statement: Statement {
        guard let (ties, others) = order.branches, count != nil else { return Statement(text(of: wholeCondition)) }
        let branches = [ties, others].map { text(of: narrowed($0)).parenthesized }
        return Statement(Fragment(branches, separator: " UNION ALL ") + ending)
    }

    private func text(of condition: Condition<Model>?) -> Fragment {
        let head = Fragment("SELECT \(Model.definition.columnList) FROM \(Model.definition.reference)")
        return (condition.map { head + " WHERE " + $0.fragment } ?? head) + ending
    }

    /// ` ORDER BY id LIMIT $2`
    private var ending: Fragment {
        let ordered = Fragment(order.orderings.isEmpty ? "" : " ORDER BY " + order.text)
        return count.map { ordered + Fragment(.text(" LIMIT "), .value($0)) } ?? ordered
    }

    /// The statement that counts them: order, position and limit do not matter.
    public var countStatement: Statement {
        var statement = Statement(unsafe: "SELECT count(*) FROM \(Model.definition.reference)")
        if let condition { statement.append(Fragment(" WHERE ") + condition.fragment) }
        return statement
    }

    /// Those of some rows in memory.
    public func rows(of rows: some Sequence<Model>) -> [Model] {
        let holds = wholeCondition?.holds ?? { _ in true }
        let found = rows.filter(holds)
        let ordered = order.orderings.isEmpty ? found : found.sorted(by: order.isInOrder)
        return count.map { Array(ordered.prefix(Int($0))) } ?? ordered
    }

    /// How many rows in memory there are, whatever the limit.
    public func count(of rows: some Sequence<Model>) -> Int { rows.count(where: condition?.holds ?? { _ in true }) }

    private var wholeCondition: Condition<Model>? { order.isBehindPosition.map(narrowed) ?? condition }

    private func narrowed(_ added: Condition<Model>) -> Condition<Model> { condition.map { $0 && added } ?? added }
}
