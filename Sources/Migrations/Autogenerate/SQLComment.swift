/// A comment in a revision that is written by the tool: it is one line, whatever names of the database are in it.
struct SQLComment: Hashable, Sendable {
    private let text: String

    init(_ text: String) { self.text = text.onOneLine }

    /// The comment as it stands in the file: `-- data loss: all rows of campaign`.
    var line: String { "-- \(text)" }

    /// What loses data.
    static func dataLoss(_ what: String) -> SQLComment { SQLComment("data loss: \(what)") }

    /// Waives a lint rule.
    static func waiver(_ rule: String, _ reason: String) -> SQLComment { SQLComment("lint: allow \(rule) \(reason)") }

    /// Runs an update in batches; `nil` when the marker cannot name the column.
    static func batches(by key: String) -> SQLComment? {
        let comment = SQLComment("batches of 5000 by \(key)")
        return BatchedStatement.Marker(comment.line)?.key == key ? comment : nil
    }
}

extension String {
    /// With a space for each character that ends a line or is a control character, so that it can end no comment.
    var onOneLine: String {
        var line = UnicodeScalarView()
        for scalar in unicodeScalars {
            line.append(scalar.endsLineOrControls ? " " : scalar)
        }
        return String(line)
    }
}

extension Unicode.Scalar {
    /// Whether it is a control character or one of Unicode's line ends.
    fileprivate var endsLineOrControls: Bool { value < 0x20 || [0x7F, 0x85, 0x2028, 0x2029].contains(value) }
}
