/// A part of an SQL statement: text interspersed with parameter values. The parameters are numbered only when a
/// statement is made from the composed fragments.
public struct Fragment: Sendable {
    /// A part of a fragment: text, a value that becomes a parameter, or several values that become one parameter of an
    /// array type.
    enum Part: Sendable {
        case text(String)
        case value(any SQLValue)
        case array([any SQLValue], of: any SQLValue.Type)
    }

    private(set) var parts: [Part]

    init(_ parts: Part...) { self.parts = parts }

    init(_ text: String) { parts = [.text(text)] }

    /// Joins fragments with a separator between them.
    init(_ pieces: [Fragment], separator: String) {
        parts = []
        for (index, piece) in pieces.enumerated() {
            if index > 0 { parts.append(.text(separator)) }
            parts += piece.parts
        }
    }

    static func + (left: Fragment, right: Fragment) -> Fragment {
        var sum = left
        sum.parts += right.parts
        return sum
    }

    static func + (left: Fragment, right: String) -> Fragment { left + Fragment(right) }

    /// The fragment in parentheses.
    var parenthesized: Fragment { Fragment("(") + self + ")" }
}
