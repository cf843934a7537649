/// Escapes text for Markdown, so that the text is displayed literally.
enum Markdown {
    /// Returns the text as a code span, whose fence is longer than any run of backticks in the text.
    static func code(_ text: String) -> String {
        let runs = text.split { $0 != "`" }
        let fence = String(repeating: "`", count: max(1, runs.map(\.count).max() ?? 0) + 1)
        return "\(fence) \(oneLine(text)) \(fence)"
    }

    /// Returns the text escaped and on one line.
    static func text(_ text: String) -> String {
        oneLine(text).reduce(into: "") { escaped, character in
            switch character {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\\", "`", "*", "[", "]", "|", "~": escaped += "\\\(character)"
            default: escaped.append(character)
            }
        }
    }

    private static func oneLine(_ text: String) -> String {
        text.split(omittingEmptySubsequences: false) { $0.isNewline }.joined(separator: " ")
    }
}
