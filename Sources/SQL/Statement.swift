/// SQL text with `$n` in it, and the values for them.
///
/// Written as a string literal, each `\(value)` becomes a parameter and never a part of the text, so that data cannot turn
/// into SQL and the text stays the same for all values, which is what lets it be prepared once:
/// `"SELECT \(Campaign.columns.name) FROM campaign WHERE id = \(id)"` is `SELECT name FROM campaign WHERE id = $1`.
public struct Statement: Sendable {
    /// The text, as Postgres gets it.
    public private(set) var text = ""
    /// The values of `$1`, `$2` and so on.
    public private(set) var bindings = Bindings()

    /// Makes a statement of text that was put together elsewhere, with no parameters. The text must not come from outside.
    public init(unsafe text: String) { self.text = text }

    /// Makes a statement of text that was put together elsewhere, with one parameter, `$1`. The text must not come from outside.
    public init(unsafe text: String, _ value: some SQLValue) {
        self.text = text
        bindings = Bindings(value)
    }

    init(_ pieces: Fragment...) {
        for piece in pieces { append(piece) }
    }

    /// The same statement with text put before it; it must not come from outside.
    public func prefixed(unsafe prefix: String) -> Statement { replacing(unsafe: prefix + text) }

    /// Another text with the same values; it must not come from outside.
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

    /// The parts of a statement's literal, as they are put together.
    public struct Interpolation: StringInterpolationProtocol {
        fileprivate var statement = Statement()

        public init(literalCapacity: Int, interpolationCount: Int) {
            statement.text.reserveCapacity(literalCapacity + 64 * interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) { statement.append(literal) }

        /// Adds a parameter.
        public mutating func appendInterpolation(_ value: some SQLValue) { statement.bind(value) }

        /// Adds a parameter; NULL for `nil`.
        public mutating func appendInterpolation<Value: SQLValue>(value: Value?) { statement.bind(value) }

        /// Adds a column's name.
        public mutating func appendInterpolation(_ column: Column<some Sendable, some SQLValue>) {
            statement.append(column.reference)
        }

        /// Adds a table's name.
        public mutating func appendInterpolation(_ table: TableDefinition) { statement.append(table.reference) }

        /// Adds a condition.
        public mutating func appendInterpolation(_ condition: Condition<some Sendable>) {
            statement.append(condition.fragment)
        }

        /// Adds text as it is: the one way for text that is not a literal, and it must not come from outside.
        public mutating func appendInterpolation(unsafe text: String) { statement.append(text) }
    }
}
