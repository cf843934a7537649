/// A comment in a generated revision; always a single line, whatever database names it contains.
struct SQLComment: Hashable, Sendable {
    private let text: String

    init(_ text: String) { self.text = text.onOneLine }

    /// The comment's line in the file, such as `-- data loss: all rows of campaign`.
    var line: String { "-- \(text)" }

    /// The marker of a statement that deletes data.
    static func dataLoss(_ what: String) -> SQLComment { SQLComment("data loss: \(what)") }

    /// The marker that suppresses a lint rule for the next statement.
    static func waiver(_ rule: String, _ reason: String) -> SQLComment { SQLComment("lint: allow \(rule) \(reason)") }

    /// Returns the marker that makes the next statement run in batches; `nil` if the marker's syntax does not support
    /// the name of the key column.
    static func batches(by key: String) -> SQLComment? {
        let comment = SQLComment("batches of 5000 by \(key)")
        return BatchedStatement.Marker(comment.line)?.key == key ? comment : nil
    }
}

extension String {
    /// The text with line ends and control characters replaced by spaces, so that it cannot end a comment.
    var onOneLine: String {
        var line = UnicodeScalarView()
        for scalar in unicodeScalars {
            line.append(scalar.endsLineOrControls ? " " : scalar)
        }
        return String(line)
    }
}

extension Unicode.Scalar {
    /// Whether the scalar is an ASCII control character, or ends a line or paragraph in Unicode.
    fileprivate var endsLineOrControls: Bool { value < 0x20 || [0x7F, 0x85, 0x2028, 0x2029].contains(value) }
}
