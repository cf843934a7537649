import Web

/// A node of a plan that Postgres carried out, as its JSON tells.
struct Plan {
    private let members: JSON.Members
    let children: [Plan]

    init?(_ json: JSON?) {
        guard case .object(let members)? = json else { return nil }
        self.members = members
        children = if case .array(let plans)? = members["Plans"] { plans.compactMap { Plan($0) } } else { [] }
    }

    func text(_ name: String) -> String? {
        guard case .string(let text)? = members[name] else { return nil }
        return text
    }

    func number(_ name: String) -> Double {
        guard case .number(let text)? = members[name] else { return 0 }
        return Double(text) ?? 0
    }

    /// This node, and all below it.
    var all: [Plan] { [self] + children.flatMap(\.all) }

    /// The rows that it has looked at, in all loops.
    var rowsRead: Double { (number("Actual Rows") + number("Rows Removed by Filter")) * max(1, number("Actual Loops")) }

    /// `Index Scan using campaign_pkey on campaign (id = 1): 1 row, 0.02 ms, 3 buffers`, and its children, indented.
    func lines(_ indentation: String = "") -> [String] {
        let index = text("Index Name").map { " using \($0)" } ?? ""
        let relation = text("Relation Name").map { " on \($0)" } ?? ""
        let condition = (text("Index Cond") ?? text("Filter") ?? text("Recheck Cond")).map { " \($0)" } ?? ""
        let rows = Int(number("Actual Rows") * max(1, number("Actual Loops")))
        let buffers = Int(number("Shared Hit Blocks") + number("Shared Read Blocks"))
        let line =
            "\(indentation)\(text("Node Type") ?? "?")\(index)\(relation)\(condition): \(rows) row\(rows == 1 ? "" : "s"), "
            + "\(number("Actual Total Time")) ms, \(buffers) buffer\(buffers == 1 ? "" : "s")"
        return [line] + children.flatMap { $0.lines(indentation + "  ") }
    }
}

/// A plan, and what it took.
struct ExplainedPlan {
    let root: Plan
    /// Milliseconds.
    let planning: Double
    let execution: Double

    /// Reads what `EXPLAIN (ANALYZE, FORMAT JSON)` returned.
    init?(_ text: String) {
        guard case .array(let plans)? = try? JSON(parsing: Array(text.utf8)), case .object(let members)? = plans.first,
            let outer = Plan(plans.first), let root = Plan(members["Plan"])
        else { return nil }
        self.root = root
        (planning, execution) = (outer.number("Planning Time"), outer.number("Execution Time"))
    }

    /// The nodes that read a table from its beginning to its end.
    var scans: [Plan] { root.all.filter { $0.text("Node Type") == "Seq Scan" } }
}
