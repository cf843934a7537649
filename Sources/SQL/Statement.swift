/// SQL text with `$n` in it, and the values for them.
///
/// Written as a string literal, each `\(value)` becomes a parameter and never a part of the text, so that data cannot turn
/// into SQL and the text stays the same for all values, which is what lets it be prepared once:
/// `"SELECT \(Campaign.columns) FROM campaign WHERE id = \(id)"` is `SELECT id, name … FROM campaign WHERE id = $1`.
public struct Statement: Sendable {
    /// The text, as Postgres gets it.
    public let text: String
    /// The values of `$1`, `$2` and so on.
    public let bindings: Bindings

    /// Makes a statement of text that was put together elsewhere, with no parameters. The text must not come from outside.
    public init(unsafe text: String) {
        self.text = text
        bindings = Bindings()
    }
}

extension Statement: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) { self.init(unsafe: text) }

    public init(stringInterpolation parts: Interpolation) {
        text = parts.text
        bindings = parts.bindings
    }

    /// The parts of a statement's literal, as they are put together.
    public struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var bindings = Bindings()

        public init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 64 * interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) { text += literal }

        /// Adds a parameter.
        public mutating func appendInterpolation(_ value: some Bindable) {
            bindings.append(value)
            text += "$"
            text += String(bindings.parameters.count)
        }

        /// Adds the names of columns.
        public mutating func appendInterpolation(_ columns: ColumnList) { text += columns.text }

        /// Adds text as it is: the one way for text that is not a literal, and it must not come from outside.
        public mutating func appendInterpolation(unsafe text: String) { self.text += text }
    }
}
