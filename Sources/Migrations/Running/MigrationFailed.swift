import Postgres

/// A migration that failed or was refused; the description is the message for the user.
public struct MigrationFailed: Error, CustomStringConvertible {
    public let description: String
    /// The SQLSTATE, if a statement failed.
    let state: SQLState?

    /// Creates an error that is not about a statement.
    init(_ description: String) { (self.description, state) = (description, nil) }

    /// Creates the error of a failed statement: file and line, Postgres's message, the source line with a caret, and
    /// `done`, which reports the progress.
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
