import SQL

/// A statement that was carried out, or that failed: what it was, where it came from, and what it took.
public struct ExecutedStatement: Sendable {
    /// The statement.
    public var statement: Statement
    /// Where it came from.
    public var site: CallSite
    /// The columns that its rows are read as; `nil` when it is read by hand.
    public var columns: [ColumnDefinition]?
    /// How many rows it returned or touched.
    public var rows = 0
    /// How long it waited for a connection.
    public var waiting = Duration.zero
    /// How long it took, from when it was sent until all of its answer was there.
    public var executing = Duration.zero
    /// Whether that includes its preparation, as it was the first of its kind on its connection.
    public var wasPrepared = true
    /// Why it failed, if it did.
    public var error: String?

    /// Makes one that took no time and returned nothing.
    public init(_ statement: Statement, at site: CallSite, columns: [ColumnDefinition]?) {
        (self.statement, self.site, self.columns) = (statement, site, columns)
    }

    /// What stands for all statements of the same text: sixteen digits (FNV-1a, 64 bits).
    public var fingerprint: String {
        let hash = statement.text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return hash.hexadecimal
    }
}

extension ExecutedStatement: CustomStringConvertible {
    /// One line for a log: the text, how many rows and microseconds, and where it came from. Of the parameters, the types and
    /// sizes only: their values are somebody's data.
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
    /// Whole microseconds.
    public var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
