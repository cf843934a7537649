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

        public var description: String { "\(file):\(line): \(rule): \(message)" }
    }

    /// Looks at a revision's upgrade.
    public static func findings(in revision: Revision) -> [Finding] {
        var created: Set<String> = []
        var findings: [Finding] = []
        for statement in revision.upgrade.statements {
            let text = LintedStatement(statement)
            if let table = text.createdTable { created.insert(table) }
            for rule in Rule.all where rule.applies(text) && statement.allowed[rule.name] == nil {
                // Nobody uses a table that the same revision creates.
                if rule.spareNewTables, let table = text.table, created.contains(table) { continue }
                findings.append(
                    Finding(
                        file: revision.file, line: statement.line, rule: rule.name, message: rule.message,
                        table: text.table))
            }
        }
        return findings
    }
}

/// A statement as the rules see it: in lower case, without comments and strings, with single spaces.
struct LintedStatement {
    let text: String
    let isOutside: Bool
    let isMarkedAsDataLoss: Bool

    init(_ statement: Revision.Statement) {
        let plain = statement.sql.replacing(/--[^\n]*/, with: " ").replacing(/'[^']*'/, with: "''")
        text = plain.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        isOutside = statement.isOutside
        isMarkedAsDataLoss = statement.dataLoss != nil
    }

    var createdTable: String? {
        text.firstMatch(of: /^create (?:unlogged )?table (?:if not exists )?([\w."]+)/).map { String($0.1) }
    }

    /// The table that it is about.
    var table: String? {
        if let match = text.firstMatch(of: /^alter table (?:if exists )?(?:only )?([\w."]+)/) { return String(match.1) }
        if let match = text.firstMatch(of: /^create (?:unique )?index .*? on (?:only )?([\w."]+)/) {
            return String(match.1)
        }
        return createdTable
            ?? text.firstMatch(of: /^(?:update|delete from|truncate(?: table)?) ([\w."]+)/).map { String($0.1) }
    }
}
