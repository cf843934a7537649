extension MigrationPlan {
    /// For people, at a terminal.
    public var text: String {
        guard !revisions.isEmpty else { return MigrationPlan.nothing }
        var lines: [String] = []
        for revision in revisions {
            lines.append("\(revision.id) \(revision.message), \(revision.file)")
            if let resumption = revision.resumption { lines.append("  \(resumption.text)") }
            if let obstacle = revision.obstacle { lines.append("  would be refused now: \(obstacle)") }
            for statement in revision.statements {
                lines.append("  \(statement.line): \(statement.title)")
                lines += self.lines(of: statement).map { "     \($0)" }
            }
            lines += revision.holds.map { "  \($0.text)" }
            lines.append("")
        }
        lines.append(summary)
        return lines.joined(separator: "\n")
    }

    /// For pull requests.
    public var markdown: String {
        guard !revisions.isEmpty else { return MigrationPlan.nothing }
        var lines = ["## Migration plan", "", Markdown.text(summary)]
        for revision in revisions {
            lines += ["", "### `\(revision.id)` \(Markdown.text(revision.message))", ""]
            if let resumption = revision.resumption { lines += ["It \(Markdown.text(resumption.text)).", ""] }
            if let obstacle = revision.obstacle {
                lines += ["It would be refused now: \(Markdown.text(obstacle)).", ""]
            }
            for statement in revision.statements {
                lines.append("- Line \(statement.line): \(Markdown.code(statement.title))")
                lines += self.lines(of: statement).map { "  - \(Markdown.text($0))" }
            }
            lines += revision.holds.map { "- It \(Markdown.text($0.text))" }
        }
        return lines.joined(separator: "\n")
    }

    private static let nothing = "Nothing is pending."

    /// What is said of a statement.
    private func lines(of statement: PlannedStatement) -> [String] {
        var lines = locks(statement.locks)
        if lines.isEmpty, statement.isObserved, statement.failure == nil { lines = ["locks nothing that is in use"] }
        lines += statement.effects.map(\.text)
        if let batches = statement.batches {
            let more = statement.hasUniqueKey ? "" : "; rows with the same key are in one batch, however many"
            lines.append("in batches of \(batches), each committed\(more)")
        }
        if let duration = statement.durationText { lines.append(duration) }
        lines += statement.waitsFor.map { "would wait now for \($0.text)" }
        lines += statement.losses.map { "loses data: it \($0.text)" }
        lines += statement.findings.map { "lint: \($0.rule): \($0.message)" }
        if let doubt = statement.doubt { lines.append("not certain: \(doubt)") }
        if let failure = statement.failure { lines.append("fails: \(failure)") }
        return lines
    }

    /// A line for each mode; of indexes whose tables are locked as strongly, only the number is told.
    private func locks(_ locks: [PlannedLock]) -> [String] {
        let modes = Dictionary(grouping: locks.telling, by: \.mode).sorted { $0.key > $1.key }
        return modes.map { mode, telling in
            let relations = telling.map { lock in
                let indexes = locks.count { $0.table == lock.relation && $0.mode <= mode }
                return describe(lock.relation) + (indexes == 0 ? "" : " with \(indexes) of its indexes")
            }
            return "locks \(relations.joined(separator: ", ")): \(mode.name), \(mode.waiting.text)"
        }
    }

    /// `public.lead (24 MB and 8 MB of indexes, about 200000 rows)`
    private func describe(_ relation: String) -> String {
        guard let size = sizes[relation] else { return relation }
        let indexes = size.indexBytes > 0 ? " and \(bytesText(size.indexBytes)) of indexes" : ""
        let rows = size.rows.map { ", about \($0) rows" } ?? ""
        return "\(relation) (\(bytesText(size.bytes))\(indexes)\(rows))"
    }

    // MARK: Summary

    /// One line on all of it.
    public var summary: String {
        guard !revisions.isEmpty else { return MigrationPlan.nothing }
        let waiting = statements.map(\.waiting)
        var parts = [plural(revisions.count, "revision"), plural(statements.count, "statement")]
        func add(_ what: String, _ number: Int) { if number > 0 { parts.append("\(what): \(number)") } }
        add(LockMode.Waiting.readersAndWriters.text, waiting.count { $0 == .readersAndWriters })
        add(LockMode.Waiting.writers.text, waiting.count { $0 == .writers })
        add("rewrites", statements.flatMap(\.effects).count(where: \.isRewrite))
        add("losses of data", statements.flatMap(\.losses).count)
        add("lint", statements.flatMap(\.findings).count)
        add("sessions to wait for now", Set(statements.flatMap(\.waitsFor).map { $0.pid ?? 0 }).count)
        let unknown = statements.count { $0.failure == nil && $0.estimate == nil }
        if unknown > 0 { parts.append("\(plural(unknown, "statement")) of unknown duration") }
        if let estimate {
            parts.append("\(estimate) \(unknown > 0 ? "for the others" : "in all"), estimated from the sizes")
        }
        if let doubt { parts.append("not certain: \(doubt)") }
        if let problem { parts.append("fails: \(problem)") }
        return parts.joined(separator: "; ")
    }

    private var estimate: String? {
        let durations = statements.filter { $0.estimate != nil }.compactMap(\.duration)
        return durations.isEmpty ? nil : durations.reduce(.zero, +).text
    }

    private func plural(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}

extension PlannedStatement {
    /// The SQL on one line, cut off where it is long.
    fileprivate var title: String {
        let words = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.count > 100 ? "\(words.prefix(99))…" : words
    }

    /// How long it takes; `nil` when it fails, or takes a moment and nobody waits for it.
    fileprivate var durationText: String? {
        guard failure == nil else { return nil }
        guard estimate != nil else {
            let part = duration.map { "; for the size of the tables alone: \($0.text), estimated" } ?? ""
            return "how long it takes is not known\(part)"
        }
        if let duration { return "takes \(duration.text), estimated from the size" }
        return locks.isEmpty ? nil : "takes a moment, whatever the size"
    }
}

extension PlannedResumption {
    fileprivate var text: String {
        guard let line else { return "goes on behind its last statement, where it stopped" }
        let batches = key.map { ", behind the key \($0): \(rows) rows are done" } ?? ""
        return "goes on at line \(line), where it stopped\(batches)"
    }
}

extension PlannedRevision.Hold {
    fileprivate var text: String {
        "holds \(lock.mode.name) on \(lock.relation) until the end of its transaction, "
            + (duration.map { "\($0.text), estimated" } ?? "for how long is not known")
    }
}

extension PlannedEffect {
    fileprivate var isRewrite: Bool { if case .rewrites = self { true } else { false } }

    fileprivate var text: String {
        switch self {
        case .rewrites(let table): "rewrites \(table)"
        case .truncates(let table): "truncates \(table)"
        case .scans(let table, let times): times == 1 ? "reads all of \(table)" : "reads all of \(table) \(times) times"
        case .builds(let index, let table): "builds \(index), reading all of \(table)"
        case .changesRows(let table): "changes rows of \(table): who writes the same rows waits"
        }
    }
}

extension LockMode.Waiting {
    /// Who waits, in words.
    public var text: String {
        switch self {
        case .readersAndWriters: "readers and writers wait"
        case .writers: "writers wait"
        case .schemaChanges: "only other schema changes wait"
        }
    }
}

extension LockHolder {
    /// `pid 7 (reader, report, idle in transaction for 12 s): ACCESS SHARE on public.one`
    var text: String {
        let process = pid.map { "pid \($0) (\(user)" } ?? "a transaction (\(user)"
        let words = [application.isEmpty ? nil : application, "\(state.isEmpty ? "open" : state) for \(age) s"]
        return ([process] + words.compactMap(\.self)).joined(separator: ", ") + "): \(held)"
    }
}

extension LockHolder {
    private var held: String {
        if let mode, let relation { "\(mode.name) on \(relation)" } else { "an older snapshot" }
    }
}

extension Duration {
    /// `about 4 s`
    var text: String {
        let seconds = Double(components.seconds) + Double(components.attoseconds) / 1e18
        return switch seconds {
        case ..<1: "less than 1 s"
        case ..<120: "about \(Int(seconds.rounded())) s"
        case ..<7200: "about \(Int((seconds / 60).rounded())) min"
        default: "about \(Int((seconds / 3600).rounded())) h"
        }
    }
}

/// `24 MB`, as Postgres's `pg_size_pretty` writes it.
func bytesText(_ bytes: Int64) -> String {
    var (number, units) = (bytes, ["bytes", "kB", "MB", "GB", "TB"][...])
    while number >= 10240, units.count > 1 { (number, units) = ((number + 512) / 1024, units.dropFirst()) }
    return "\(number) \(units.first ?? "")"
}
