/// SQL as the rules see it: its words in lower case and its symbols, without comments, and with nothing in its strings but numbers.
struct LintedWords {
    private struct Word {
        var text: String
        /// Where it stands in the bytes.
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

    /// What has a dot between is one word: `public.campaign`.
    private mutating func append(_ word: Word) {
        guard let last = words.last, word.text == "." || last.text.last == "." else { return words.append(word) }
        words[words.endIndex - 1] = Word(
            text: last.text + word.text, range: last.range.lowerBound..<word.range.upperBound)
    }

    var first: String? { words.first?.text }

    /// The first word alone.
    var head: LintedWords { with(words.prefix(1)) }

    /// The SQL from the first word to the last, as it is written.
    var sql: String {
        guard let first = words.first, let last = words.last else { return "" }
        return String(decoding: bytes[first.range.lowerBound..<last.range.upperBound], as: UTF8.self)
    }

    // MARK: Looking

    /// What stands behind these words, when it begins with them: `[a]` may be missing, `a|b` is either, and `*` is any one.
    func behind(_ pattern: String) -> LintedWords? { behind(LintedWords.elements(of: pattern), words) }

    func begins(_ pattern: String) -> Bool { behind(pattern) != nil }

    /// What stands behind the first place that has these words.
    func after(_ pattern: String) -> LintedWords? {
        let elements = LintedWords.elements(of: pattern)
        return words.indices.lazy.compactMap { behind(elements, words[$0...]) }.first
    }

    func has(_ pattern: String) -> Bool { after(pattern) != nil }

    /// What stands before and behind the first place that has these words.
    func split(at pattern: String) -> (before: LintedWords, behind: LintedWords)? {
        let elements = LintedWords.elements(of: pattern)
        return words.indices.lazy.compactMap { index in
            behind(elements, words[index...]).map { (before: with(words[..<index]), behind: $0) }
        }.first
    }

    /// Whether it calls one of these functions, with a schema or without.
    func calls(_ functions: Set<Substring>) -> Bool {
        words.contains { word in word.text.split(separator: ".").last.map(functions.contains) ?? false }
    }

    private typealias Element = (choices: [Substring], isOptional: Bool)

    private static func elements(of pattern: String) -> [Element] {
        pattern.split(separator: " ").map { element in
            (element.split { $0 == "[" || $0 == "|" || $0 == "]" }, isOptional: element.first == "[")
        }
    }

    private func behind(_ elements: [Element], _ words: ArraySlice<Word>) -> LintedWords? {
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

    /// The words with how many parentheses are around each; the outermost are around themselves.
    private var depths: [(word: Word, depth: Int)] {
        var depth = 0
        return words.map { word in
            if word.text == "(" { depth += 1 }
            defer { if word.text == ")" { depth -= 1 } }
            return (word, depth)
        }
    }

    /// What is in no parentheses.
    var outer: LintedWords { with(depths.filter { $0.depth == 0 }.map(\.word)) }

    /// What is in the first parentheses.
    var inner: LintedWords {
        let start = depths.drop { $0.depth == 0 }
        return with(start.dropFirst().prefix { $0.depth > 1 || $0.word.text != ")" }.map(\.word))
    }

    /// What lies between commas that are in no parentheses.
    var parts: [LintedWords] {
        depths.split { $0.word.text == "," && $0.depth == 0 }.map { with($0.map(\.word)) }
    }
}
