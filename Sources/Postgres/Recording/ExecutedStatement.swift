import SQL

/// A record of a statement that was executed or failed: its text, its call site, its durations and its outcome.
public struct ExecutedStatement: Sendable {
    /// The statement.
    public var statement: Statement
    /// The location in the source code that the statement was executed from.
    public var site: CallSite
    /// The columns of the model that the rows are decoded as; `nil` if no model is decoded.
    public var columns: [ColumnDefinition]?
    /// The number of rows that the statement returned or affected.
    public var rows = 0
    /// The time spent waiting for a connection.
    public var waiting = Duration.zero
    /// The time from when the statement was sent until its result was received completely. If the statement failed, the
    /// time may include the wait for a connection.
    public var executing = Duration.zero
    /// Whether no preparation was necessary before the execution; otherwise, `executing` includes the preparation.
    public var wasPrepared = true
    /// The SQLSTATE of the error, or the error's type if there is no SQLSTATE; `nil` if the statement succeeded.
    public var error: String?

    /// Creates a record of a statement, with zero durations and rows.
    public init(_ statement: Statement, at site: CallSite, columns: [ColumnDefinition]?) {
        (self.statement, self.site, self.columns) = (statement, site, columns)
    }

    /// A hash of the statement's text, which is the same for all executions: sixteen hexadecimal digits (FNV-1a, 64
    /// bits).
    public var fingerprint: String {
        let hash = statement.text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return hash.hexadecimal
    }
}

extension ExecutedStatement: CustomStringConvertible {
    /// One line for the log: the statement's text, the number of rows, the durations in microseconds, and the call
    /// site. Only the sizes of the parameters are included, because their values are user data.
    public var description: String {
        let parameters = statement.bindings.parameters.enumerated().map { index, parameter in
            "$\(index + 1): " + (parameter.count.map { "\($0) bytes" } ?? "NULL")
        }
        let outcome = error.map { "failed: \($0)" } ?? "\(rows) rows"
        let preparation = wasPrepared ? "" : " with preparing"
        return
            "\(statement.text) [\(parameters.joined(separator: ", "))] -> \(outcome), waited \(waiting.microseconds) us, "
            + "took \(executing.microseconds) us\(preparation), at \(site), fingerprint \(fingerprint)"
    }
}

extension Duration {
    /// The duration in whole microseconds.
    public var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
