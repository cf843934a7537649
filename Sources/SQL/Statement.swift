/// An SQL statement: text with placeholders `$1`, `$2` and so on, and the values of its parameters.
///
/// In a string literal, each `\(value)` becomes a parameter and never part of the text, which rules out SQL injection.
/// The text is also the same for all values, so that it needs to be prepared only once:
/// `"SELECT \(Campaign.columns.name) FROM campaign WHERE id = \(id)"` is `SELECT name FROM campaign WHERE id = $1`.
public struct Statement: Sendable {
    /// The SQL text as it is sent to Postgres.
    public private(set) var text = ""
    /// The values of the parameters `$1`, `$2` and so on.
    public private(set) var bindings = Bindings()

    /// Creates a statement without parameters from SQL text, which must not contain untrusted input.
    public init(unsafe text: String) { self.text = text }

    /// Creates a statement with one parameter, `$1`, from SQL text, which must not contain untrusted input.
    public init(unsafe text: String, _ value: some SQLValue) {
        self.text = text
        bindings = Bindings(value)
    }

    init(_ pieces: Fragment...) {
        for piece in pieces { append(piece) }
    }

    /// Returns the statement with a prefix before its text; the prefix must not contain untrusted input.
    public func prefixed(unsafe prefix: String) -> Statement { replacing(unsafe: prefix + text) }

    /// Returns a statement with another text and the same parameter values; the text must not contain untrusted input.
    public func replacing(unsafe text: String) -> Statement {
        var statement = self
        statement.text = text
        return statement
    }

    mutating func append(_ text: String) { self.text += text }

    mutating func append(_ piece: Fragment) {
        for part in piece.parts {
            switch part {
            case .text(let text): append(text)
            case .value(let value): bind(value)
            case .array(let values, let element):
                bindings.append(array: values, of: element)
                appendPlaceholder()
            }
        }
    }

    mutating func bind(_ value: some SQLValue) {
        bindings.append(value)
        appendPlaceholder()
    }

    private mutating func appendPlaceholder() {
        text += "$"
        text += String(bindings.parameters.count)
    }
}

extension Statement: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) { self.init(unsafe: text) }

    public init(stringInterpolation parts: Interpolation) { self = parts.statement }

    /// Collects the text and the interpolated values of a statement's string literal.
    public struct Interpolation: StringInterpolationProtocol {
        fileprivate var statement = Statement()

        public init(literalCapacity: Int, interpolationCount: Int) {
            statement.text.reserveCapacity(literalCapacity + 64 * interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) { statement.append(literal) }

        /// Appends a parameter.
        public mutating func appendInterpolation(_ value: some SQLValue) { statement.bind(value) }

        /// Appends a parameter; `nil` is NULL.
        public mutating func appendInterpolation<Value: SQLValue>(value: Value?) { statement.bind(value) }

        /// Appends the name of a column.
        public mutating func appendInterpolation(_ column: Column<some Sendable, some SQLValue>) {
            statement.append(column.reference)
        }

        /// Appends the name of a table.
        public mutating func appendInterpolation(_ table: TableDefinition) { statement.append(table.reference) }

        /// Appends a condition. A disjunction is enclosed in parentheses, but a conjunction is not, so that a negation
        /// must be written as `NOT (\(condition))`.
        public mutating func appendInterpolation(_ condition: Condition<some Sendable>) {
            statement.append(condition.fragment)
        }

        /// Appends SQL text unchanged; the text must not contain untrusted input.
        public mutating func appendInterpolation(unsafe text: String) { statement.append(text) }
    }
}
