/// Finds names, outside of string literals, in expressions and definitions as Postgres deparses them.
enum DeparsedSQL {
    /// Returns the names in a text in order, without quotes; SQL keywords are included.
    static func names(in text: some StringProtocol) -> [String] {
        String(text).matches(of: /'(?:[^']|'')*'|"(?:[^"]|"")+"|[^\W\d]\w*/).compactMap { name(String($0.output)) }
    }

    /// Returns the text with each occurrence of a name replaced by another one.
    static func renaming(_ old: String, to new: String, in text: some StringProtocol) -> String {
        String(text).replacing(/'(?:[^']|'')*'|"(?:[^"]|"")+"|[^\W\d]\w*/) { match in
            name(String(match.output)) == old ? quoted(new) : String(match.output)
        }
    }

    /// Returns the name that a token stands for, without quotes; `nil` for a string literal.
    private static func name(_ word: String) -> String? {
        guard !word.hasPrefix("'") else { return nil }
        return word.hasPrefix("\"") ? String(word.dropFirst().dropLast().replacing("\"\"", with: "\"")) : word
    }
}
