import Web

/// A node of an execution plan in the output of `EXPLAIN (ANALYZE, FORMAT JSON)`.
struct PlanNode {
    private let members: JSON.Members
    /// The nodes whose rows this node reads (`Plans`).
    let children: [PlanNode]

    init?(_ json: JSON?) {
        guard case .object(let members)? = json else { return nil }
        self.members = members
        children = if case .array(let plans)? = members["Plans"] { plans.compactMap { PlanNode($0) } } else { [] }
    }

    /// Returns a text property of the node, such as `Node Type`; `nil` when the node does not have it.
    func text(_ name: String) -> String? {
        guard case .string(let text)? = members[name] else { return nil }
        return text
    }

    /// Returns a numeric property of the node, such as `Actual Rows`; 0 when the node does not have it.
    func number(_ name: String) -> Double {
        guard case .number(let text)? = members[name] else { return 0 }
        return Double(text) ?? 0
    }

    /// This node and all its descendants.
    var all: [PlanNode] { [self] + children.flatMap(\.all) }

    /// The number of rows that the node has read, including those that its filter removed, in all loops.
    var rowsRead: Double { (number("Actual Rows") + number("Rows Removed by Filter")) * max(1, number("Actual Loops")) }

    /// Formats the node as `Index Scan using campaign_pkey on campaign (id = 1): 1 row, 0.02 ms, 3 buffers`, followed
    /// by its descendants, indented.
    func lines(_ indentation: String = "") -> [String] {
        let index = text("Index Name").map { " using \($0)" } ?? ""
        let relation = text("Relation Name").map { " on \($0)" } ?? ""
        let condition = (text("Index Cond") ?? text("Filter") ?? text("Recheck Cond")).map { " \($0)" } ?? ""
        // Postgres states the averages of a loop.
        let loops = max(1, number("Actual Loops"))
        let rows = Int(number("Actual Rows") * loops)
        let time = (number("Actual Total Time") * loops * 1000).rounded() / 1000
        let buffers = Int(number("Shared Hit Blocks") + number("Shared Read Blocks"))
        let line =
            "\(indentation)\(text("Node Type") ?? "?")\(index)\(relation)\(condition): \(rows) row\(rows == 1 ? "" : "s"), "
            + "\(time) ms, \(buffers) buffer\(buffers == 1 ? "" : "s")"
        return [line] + children.flatMap { $0.lines(indentation + "  ") }
    }
}

/// An execution plan, with its timings.
struct ExplainedPlan {
    let root: PlanNode
    /// The planning time in milliseconds.
    let planning: Double
    /// The execution time in milliseconds.
    let execution: Double

    /// Parses the output of `EXPLAIN (ANALYZE, FORMAT JSON)`; `nil` when it cannot be parsed.
    init?(_ text: String) {
        guard case .array(let plans)? = try? JSON(parsing: Array(text.utf8)), case .object(let members)? = plans.first,
            let outer = PlanNode(plans.first), let root = PlanNode(members["Plan"])
        else { return nil }
        self.root = root
        (planning, execution) = (outer.number("Planning Time"), outer.number("Execution Time"))
    }

    /// The sequential scans in the plan.
    var scans: [PlanNode] { root.all.filter { $0.text("Node Type") == "Seq Scan" } }
}
