/// Finds statements that block or break a table in use, and suggests safe alternatives.
public struct Lint: Sendable {
    /// A violation of a lint rule.
    public struct Finding: Hashable, Sendable, CustomStringConvertible {
        /// The path of the revision's file.
        public let file: String
        /// The number of the file's line at which the statement begins.
        public let line: Int
        /// The rule's name, by which a comment suppresses it.
        public let rule: String
        /// What is unsafe, and the safe alternative.
        public let message: String
        /// The affected table; `nil` if it cannot be derived from the statement.
        public let table: String?
        /// The safe SQL with the same effect; `nil` if it cannot be derived from the statement alone.
        public let safeForm: String?

        public var description: String { "\(file):\(line): \(rule): \(message)" }

        /// The safe form as indented lines to print below the description, each after a newline; empty if there is
        /// none.
        public var safeFormBelow: String {
            (safeForm ?? "").split(separator: "\n").map { "\n    \($0)" }.joined()
        }
    }

    /// Checks the statements of a revision's upgrade, and the syntax of all its sections.
    public static func findings(in revision: Revision) -> [Finding] {
        var (created, proofs): (Set<String>, NotNullProofs) = ([], NotNullProofs())
        var findings = revision.problems.map(Finding.init)
        for statement in revision.upgrade.statements {
            let text = LintedStatement(statement, proofs: proofs)
            proofs.record(text)
            // No rule applies to other statements, of which there may be many, such as INSERTs.
            guard text.words.begins("alter|cluster|create|delete|drop|reindex|set|truncate|update|vacuum|with") else {
                continue
            }
            if let table = text.createdTable { created.insert(table) }
            for rule in Rule.all where rule.applies(text) && statement.allowed[rule.name] == nil {
                // No session uses a table that the same revision creates.
                if rule.allowsNewTables, let table = text.table, created.contains(table) { continue }
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
