import ORM
import Web

/// The output of `aktify explain`.
struct Report {
    /// A statement, its call site and its plan.
    struct Entry {
        let explanation: Explanation
        /// The call site in the source code, as FILE:LINE.
        let site: String
        /// The number of rows returned.
        let rows: Int
        /// The plan that the text report shows; `nil` when the statement failed or its plan cannot be parsed. If
        /// `smallTable` is `nil`, this is the plan that Postgres normally chooses; otherwise, the plan with
        /// `enable_seqscan` off, which resembles the plan for a larger table.
        let plan: ExplainedPlan?
        /// The table that is so small that Postgres scans it sequentially although there is a suitable index; `nil`
        /// when there is no such table.
        let smallTable: String?
        /// The planning and execution time of the plan that Postgres chose, in milliseconds.
        let time: Double

        init(_ explanation: Explanation, _ executed: ExecutedStatement?) {
            self.explanation = explanation
            site = executed.map { "\($0.site)" } ?? "?"
            rows = executed?.rows ?? 0
            let actual = explanation.plan.flatMap(ExplainedPlan.init)
            let larger = explanation.planForMoreRows.flatMap(ExplainedPlan.init)
            let isSmall = actual?.scans.allSatisfy { $0.rowsRead <= 1000 } ?? false
            let usesIndex = isSmall && larger?.scans.isEmpty == true
            plan = usesIndex ? larger : actual
            time = actual.map { $0.planning + $0.execution } ?? 0
            smallTable = usesIndex ? actual?.scans.first?.text("Relation Name") : nil
        }
    }

    let request: String
    let status: Int
    let entries: [Entry]

    init(request: String, status: Int, explanations: [Explanation], executed: [ExecutedStatement]) {
        (self.request, self.status) = (request, status)
        entries = explanations.enumerated().map { index, explanation in
            Entry(explanation, executed.indices.contains(index) ? executed[index] : nil)
        }
    }

    /// Whether the response is a server error, or a statement failed.
    var hasFailed: Bool { status >= 500 || entries.contains { $0.explanation.error != nil } }

    // MARK: Warnings

    /// Warnings about statements that may become slow, and about repeated statements (the N+1 problem).
    var warnings: [String] {
        entries.enumerated().flatMap { index, entry in entry.warnings.map { "statement \(index + 1) \($0)" } }
            + repetitions
    }

    private var repetitions: [String] {
        Dictionary(grouping: entries, by: \.explanation.statement.text).values.filter { $0.count > 1 }.map {
            "the same statement ran \($0.count) times: \($0[0].explanation.statement.text)"
        }.sorted()
    }

    // MARK: Formats

    /// The report as text.
    var text: String {
        var lines = ["\(request) -> \(status), \(entries.count) statement\(entries.count == 1 ? "" : "s")"]
        for (index, entry) in entries.enumerated() {
            lines += ["", "\(index + 1). \(entry.explanation.statement.text)"] + entry.lines
        }
        let total = entries.reduce(0) { $0 + $1.time }
        lines += ["", "Total: \(milliseconds(total)) in the database. Everything was rolled back."]
        return (lines + warnings.map { "Warning: \($0)" }).joined(separator: "\n")
    }

    /// The report as a JSON object.
    var json: String {
        let response = Response.json { json in
            json.beginObject()
            json.member("request", request)
            json.member("statements", entries)
            json.member("status", Int64(status))
            json.member("warnings", warnings)
            json.endObject()
        }
        guard case .bytes(let bytes) = response.body else { return "" }
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }
}

extension Report.Entry {
    fileprivate var lines: [String] {
        let parameters = explanation.parameters.enumerated().map { "   $\($0 + 1) = \($1 ?? "NULL")" }
        if let error = explanation.error { return parameters + ["   at \(site)", "   failed: \(error)"] }
        guard let plan else { return parameters + ["   at \(site)"] }
        let note =
            smallTable.map {
                ["   (plan for a larger table; at its current size, Postgres uses a sequential scan of \($0))"]
            } ?? []
        return parameters + ["   at \(site)"] + plan.root.lines("   ") + note
            + ["   planning \(milliseconds(plan.planning)), execution \(milliseconds(plan.execution))"]
    }

    fileprivate var warnings: [String] {
        let text = explanation.statement.text
        var warnings: [String] = []
        if text.hasPrefix("SELECT "), rows > 1 {
            if !text.contains(" LIMIT ") {
                warnings.append("has no LIMIT: the number of rows it returns is not bounded")
            }
            if !text.contains(" ORDER BY ") { warnings.append("has no ORDER BY: the order of its rows is undefined") }
        }
        for node in plan?.scans ?? [] where node.rowsRead > 1000 {
            let table = node.text("Relation Name") ?? "a table"
            warnings.append("scans all \(Int(node.rowsRead)) rows of \(table) sequentially")
        }
        return warnings
    }
}

extension Report.Entry: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        if let error = explanation.error { json.member("error", error) }
        json.member("parameters", explanation.parameters.map { $0.map(JSONText.text) ?? .null })
        json.member("plan", RawJSON(explanation.plan ?? "null"))
        json.member("rows", Int64(rows))
        json.member("site", site)
        json.member("sql", explanation.statement.text)
        json.endObject()
    }

    /// A JSON string, or null.
    private enum JSONText: JSONWritable {
        case text(String)
        case null

        func write(to json: inout JSONWriter) {
            switch self {
            case .text(let text): json.string(text)
            case .null: RawJSON("null").write(to: &json)
            }
        }
    }
}

private func milliseconds(_ number: Double) -> String { "\((number * 1000).rounded() / 1000) ms" }
