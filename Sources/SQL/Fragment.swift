/// A piece of SQL: text, with values where its parameters are. Pieces are put together before parameters are numbered.
public struct Fragment: Sendable {
    enum Part: Sendable {
        case text(String)
        case value(any SQLValue)
        case array([any SQLValue], of: any SQLValue.Type)
    }

    private(set) var parts: [Part]

    init(_ parts: Part...) { self.parts = parts }

    init(_ text: String) { parts = [.text(text)] }

    /// Pieces with text between them.
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

    /// This piece in parentheses.
    var parenthesized: Fragment { Fragment("(") + self + ")" }
}
