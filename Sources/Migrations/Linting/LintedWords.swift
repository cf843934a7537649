/// SQL as the lint rules see it: its words in lower case and its symbols, without comments. String contents are removed
/// unless they are numbers.
struct LintedWords {
    private struct Word {
        var text: String
        /// The word's byte range.
        var range: Range<Int>
    }

    private var words: ArraySlice<Word> = []
    private let bytes: [UInt8]

    init(_ sql: String) {
        bytes = Array(sql.utf8)
        for token in SQLLexer(bytes) where !token.isComment {
            append(Word(text: LintedWords.word(token, of: bytes), range: token.range))
        }
    }

    private init(_ words: ArraySlice<Word>, of bytes: [UInt8]) { (self.words, self.bytes) = (words, bytes) }

    private func with(_ words: some Sequence<Word>) -> LintedWords { LintedWords(Array(words)[...], of: bytes) }

    private static func word(_ token: SQLLexer.Token, of bytes: [UInt8]) -> String {
        let text = String(decoding: bytes[token.range], as: UTF8.self)
        switch token.kind {
        case .string: return text.dropFirst().dropLast().allSatisfy(\.isNumber) ? text : "''"
        case .quotedName: return text
        default: return text.lowercased()
        }
    }

    /// Appends a word; qualified names such as `public.campaign` become a single word.
    private mutating func append(_ word: Word) {
        guard let last = words.last, word.text == "." || last.text.last == "." else { return words.append(word) }
        words[words.endIndex - 1] = Word(
            text: last.text + word.text, range: last.range.lowerBound..<word.range.upperBound)
    }

    /// The text of the first word.
    var first: String? { words.first?.text }

    /// The first word.
    var head: LintedWords { with(words.prefix(1)) }

    /// The original SQL from the first word to the last.
    var sql: String {
        guard let first = words.first, let last = words.last else { return "" }
        return String(decoding: bytes[first.range.lowerBound..<last.range.upperBound], as: UTF8.self)
    }

    // MARK: Matching

    /// The words after a pattern; `nil` if the words do not begin with the pattern. In a pattern, `[a]` is optional,
    /// `a|b` is a choice, and `*` is any word.
    func droppingPrefix(_ pattern: String) -> LintedWords? { droppingPrefix(LintedWords.elements(of: pattern), words) }

    /// Whether the words begin with a pattern.
    func begins(_ pattern: String) -> Bool { droppingPrefix(pattern) != nil }

    /// The words after the first occurrence of a pattern; `nil` if it does not occur.
    func after(_ pattern: String) -> LintedWords? {
        let elements = LintedWords.elements(of: pattern)
        return words.indices.lazy.compactMap { droppingPrefix(elements, words[$0...]) }.first
    }

    /// Whether a pattern occurs.
    func has(_ pattern: String) -> Bool { after(pattern) != nil }

    /// The words before and after the first occurrence of a pattern; `nil` if it does not occur.
    func split(at pattern: String) -> (before: LintedWords, after: LintedWords)? {
        let elements = LintedWords.elements(of: pattern)
        return words.indices.lazy.compactMap { index in
            droppingPrefix(elements, words[index...]).map { (before: with(words[..<index]), after: $0) }
        }.first
    }

    /// Whether the name of one of these functions occurs, with or without a schema.
    func calls(_ functions: Set<Substring>) -> Bool {
        words.contains { word in word.text.split(separator: ".").last.map(functions.contains) ?? false }
    }

    private typealias Element = (choices: [Substring], isOptional: Bool)

    private static func elements(of pattern: String) -> [Element] {
        pattern.split(separator: " ").map { element in
            (element.split { $0 == "[" || $0 == "|" || $0 == "]" }, isOptional: element.first == "[")
        }
    }

    private func droppingPrefix(_ elements: [Element], _ words: ArraySlice<Word>) -> LintedWords? {
        var rest = words
        for (choices, isOptional) in elements {
            if let word = rest.first, choices.contains(where: { $0 == "*" || $0 == word.text }) {
                rest = rest.dropFirst()
            } else if !isOptional {
                return nil
            }
        }
        return with(rest)
    }

    // MARK: Parentheses

    /// The words with their nesting depth in parentheses; a parenthesis has the depth of the words inside it.
    private var depths: [(word: Word, depth: Int)] {
        var depth = 0
        return words.map { word in
            if word.text == "(" { depth += 1 }
            defer { if word.text == ")" { depth -= 1 } }
            return (word, depth)
        }
    }

    /// The words outside parentheses.
    var outer: LintedWords { with(depths.filter { $0.depth == 0 }.map(\.word)) }

    /// The words inside the first pair of parentheses.
    var inner: LintedWords {
        let start = depths.drop { $0.depth == 0 }
        return with(start.dropFirst().prefix { $0.depth > 1 || $0.word.text != ")" }.map(\.word))
    }

    /// The parts between commas outside parentheses.
    var parts: [LintedWords] {
        depths.split { $0.word.text == "," && $0.depth == 0 }.map { with($0.map(\.word)) }
    }
}
