/// Expressions and definitions as Postgres writes them: the names in them, outside of strings.
enum WrittenSQL {
    /// The names, without their quotes, in order; words of SQL are among them.
    static func names(in text: some StringProtocol) -> [String] {
        String(text).matches(of: /'(?:[^']|'')*'|"(?:[^"]|"")+"|[^\W\d]\w*/).compactMap { name(String($0.output)) }
    }

    /// The text with another name in place of one.
    static func renaming(_ old: String, to new: String, in text: some StringProtocol) -> String {
        String(text).replacing(/'(?:[^']|'')*'|"(?:[^"]|"")+"|[^\W\d]\w*/) { match in
            name(String(match.output)) == old ? quoted(new) : String(match.output)
        }
    }

    /// What a word names; `nil` for a string.
    private static func name(_ word: String) -> String? {
        guard !word.hasPrefix("'") else { return nil }
        return word.hasPrefix("\"") ? String(word.dropFirst().dropLast().replacing("\"\"", with: "\"")) : word
    }
}
