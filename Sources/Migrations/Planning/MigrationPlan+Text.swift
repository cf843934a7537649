extension MigrationPlan {
    /// The plan as plain text for a terminal.
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

    /// The plan as Markdown for a pull request.
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

    /// The lines about a statement, without indentation.
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

    /// Returns a line for each lock mode, with the names of the locked relations. Indexes whose table is locked at
    /// least as strongly are not named; their number follows the table's name.
    private func locks(_ locks: [PlannedLock]) -> [String] {
        let modes = Dictionary(grouping: locks.significant, by: \.mode).sorted { $0.key > $1.key }
        return modes.map { mode, significant in
            let relations = significant.map { lock in
                let indexes = locks.count { $0.table == lock.relation && $0.mode <= mode }
                return describe(lock.relation) + (indexes == 0 ? "" : " with \(indexes) of its indexes")
            }
            return "locks \(relations.joined(separator: ", ")): \(mode.name), \(mode.waiting.text)"
        }
    }

    /// A relation with its size: `public.lead (24 MB and 8 MB of indexes, about 200000 rows)`.
    private func describe(_ relation: String) -> String {
        guard let size = sizes[relation] else { return relation }
        let indexes = size.indexBytes > 0 ? " and \(bytesText(size.indexBytes)) of indexes" : ""
        let rows = size.rows.map { ", about \($0) rows" } ?? ""
        return "\(relation) (\(bytesText(size.bytes))\(indexes)\(rows))"
    }

    // MARK: Summary

    /// A one-line summary of the plan.
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
        add(
            "sessions to wait for now",
            Set(statements.flatMap(\.waitsFor).map { "\($0.pid ?? 0) \($0.application)" }).count)
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
    /// The SQL on one line, truncated to 100 characters.
    fileprivate var title: String {
        let words = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.count > 100 ? "\(words.prefix(99))…" : words
    }

    /// The estimated duration; `nil` if the statement fails, or if it is short and takes no lock.
    fileprivate var durationText: String? {
        guard failure == nil else { return nil }
        guard estimate != nil else {
            let part = duration.map { "; based on the sizes of the tables alone: \($0.text), estimated" } ?? ""
            return "its duration is unknown\(part)"
        }
        if let duration { return "takes \(duration.text), estimated from the size" }
        return locks.isEmpty ? nil : "takes a moment, regardless of the size"
    }
}

extension PlannedResumption {
    /// Where the revision resumes, as part of a sentence.
    fileprivate var text: String {
        guard let line else { return "resumes after its last statement, where it stopped" }
        let batches = key.map { ", after the key \($0): \(rows) rows are done" } ?? ""
        return "resumes at line \(line), where it stopped\(batches)"
    }
}

extension PlannedRevision.Hold {
    fileprivate var text: String {
        "holds \(lock.mode.name) on \(lock.relation) until the end of its transaction, "
            + (duration.map { "\($0.text), estimated" } ?? "for an unknown time")
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
        case .changesRows(let table): "changes rows of \(table): writers of the same rows wait"
        }
    }
}

extension LockMode.Waiting {
    /// Which sessions wait, as part of a sentence.
    public var text: String {
        switch self {
        case .readersAndWriters: "readers and writers wait"
        case .writers: "writers wait"
        case .schemaChanges: "only other schema changes wait"
        }
    }
}

extension LockHolder {
    /// The session and its lock: `pid 7 (reader, report, idle in transaction for 12 s): ACCESS SHARE on public.one`.
    var text: String {
        let process = pid.map { "pid \($0) (\(user)" } ?? "a transaction (\(user)"
        let words = [application.isEmpty ? nil : application, "\(state.isEmpty ? "open" : state) for \(age) s"]
        return ([process] + words.compactMap(\.self)).joined(separator: ", ") + "): \(heldObject)"
    }
}

extension LockHolder {
    private var heldObject: String {
        if let mode, let relation { "\(mode.name) on \(relation)" } else { "an older snapshot" }
    }
}

extension Duration {
    /// The rounded duration, such as `about 4 s`.
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

/// A size such as `24 MB`, formatted like Postgres's `pg_size_pretty`.
func bytesText(_ bytes: Int64) -> String {
    var (number, units) = (bytes, ["bytes", "kB", "MB", "GB", "TB"][...])
    while number >= 10240, units.count > 1 { (number, units) = ((number + 512) / 1024, units.dropFirst()) }
    return "\(number) \(units.first ?? "")"
}
