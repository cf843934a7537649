/// What hurts a table that is in use while the schema changes, and what to do instead.
public struct Lint: Sendable {
    /// Something that was found.
    public struct Finding: Hashable, Sendable, CustomStringConvertible {
        /// The file, and the line of the statement.
        public let file: String, line: Int
        /// The rule, as a waiver names it.
        public let rule: String
        /// What is wrong, and the safe way.
        public let message: String
        /// The table that it is about.
        public let table: String?
        /// The SQL that does the same safely, where it can be told from the statement alone.
        public let safeForm: String?

        public var description: String { "\(file):\(line): \(rule): \(message)" }

        /// The safe form, on lines of its own, to be printed below the description; empty when there is none.
        public var safeFormBelow: String {
            (safeForm ?? "").split(separator: "\n").map { "\n    \($0)" }.joined()
        }
    }

    /// Looks at a revision's upgrade, and whether both sections are as they must be.
    public static func findings(in revision: Revision) -> [Finding] {
        var (created, proofs): (Set<String>, NotNullProofs) = ([], NotNullProofs())
        var findings = revision.problems.map(Finding.init)
        for statement in revision.upgrade.statements {
            let text = LintedStatement(statement, proofs: proofs)
            proofs.take(text)
            // No rule is about others, and there may be many of them: rows that are inserted.
            guard text.words.begins("alter|cluster|create|delete|drop|reindex|set|truncate|update|vacuum|with") else {
                continue
            }
            if let table = text.createdTable { created.insert(table) }
            for rule in Rule.all where rule.applies(text) && statement.allowed[rule.name] == nil {
                // Nobody uses a table that the same revision creates.
                if rule.spareNewTables, let table = text.table, created.contains(table) { continue }
                findings.append(
                    Finding(
                        file: revision.file, line: statement.line, rule: rule.name, message: rule.message,
                        table: text.table, safeForm: rule.safeForm(text).map { SectionText([[$0]]).text(between: "\n") }
                    ))
            }
        }
        return findings
    }
}

extension Lint.Finding {
    fileprivate init(_ problem: MalformedRevision) {
        self.init(
            file: problem.file, line: problem.line, rule: "malformed", message: problem.reason, table: nil,
            safeForm: nil)
    }
}
