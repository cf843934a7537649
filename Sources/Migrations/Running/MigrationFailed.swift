import Postgres

/// Why the schema was not brought where it should be: one message for people.
public struct MigrationFailed: Error, CustomStringConvertible {
    public let description: String
    /// Postgres's code, when a statement failed.
    let state: SQLState?

    init(_ description: String) { (self.description, state) = (description, nil) }

    /// A statement that failed: its place, what Postgres said, the line with a caret, and how far it went.
    init(_ error: PostgresError, _ statement: Revision.Statement, in revision: Revision, done: String) {
        let before = statement.sql.unicodeScalars.prefix(max(0, (error.position ?? 1) - 1))
        let lines = statement.sql.split(separator: "\n", omittingEmptySubsequences: false)
        let line = before.count { $0 == "\n" }
        let column = before.reversed().prefix { $0 != "\n" }.count
        var text = "\(revision.file):\(statement.line + line): \(error.message)"
        if let state = error.state { text += " (\(state))" }
        text += "\n    \(lines[min(line, lines.count - 1)])"
        if error.position != nil { text += "\n    " + String(repeating: " ", count: column) + "^" }
        description = text + "\n\(done)"
        state = error.state
    }
}
