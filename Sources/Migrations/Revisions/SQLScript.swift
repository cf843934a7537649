/// Splits SQL into its statements, where psql does.
struct SQLScript: Sequence, IteratorProtocol {
    struct Statement {
        /// From its first token to its last, without the semicolon; a comment in `/* */` before it may be a hint, and belongs to it.
        let range: Range<Int>
        /// The comments to the end of a line that stand before it.
        let comments: [Range<Int>]
        /// Where something in it begins that never ends.
        let unclosed: Int?
    }

    private var lexer: SQLLexer
    private let bytes: [UInt8]

    init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
        self.bytes = bytes
        lexer = SQLLexer(bytes, in: range)
    }

    /// The statements of a text, and how many bytes stand before each.
    static func statements(of text: String) -> [(sql: String, offset: Int)] {
        let bytes = Array(text.utf8)
        return SQLScript(bytes).map { (String(decoding: bytes[$0.range], as: UTF8.self), $0.range.lowerBound) }
    }

    mutating func next() -> Statement? {
        var nesting = SQLNesting()
        var comments: [Range<Int>] = []
        var (start, end, unclosed): (Int?, Int?, Int?)
        while let token = lexer.next() {
            if !token.isClosed { (end, unclosed) = (token.range.upperBound, token.range.lowerBound) }
            switch token.kind {
            case .lineComment:
                guard end == nil else { continue }
                start = nil
                comments.append(token.range)
            case .blockComment: start = start ?? token.range.lowerBound
            case .symbol where !nesting.isOpen && bytes[token.range.lowerBound] == UInt8(ascii: ";"):
                if let start, let end { return Statement(range: start..<end, comments: comments, unclosed: nil) }
                (start, comments) = (nil, [])
            default:
                nesting.take(token, of: bytes)
                (start, end) = (start ?? token.range.lowerBound, token.range.upperBound)
            }
        }
        guard let start, let end else { return nil }
        return Statement(range: start..<end, comments: comments, unclosed: unclosed)
    }
}

/// What is open in a statement, so that a semicolon does not end it: parentheses, as in `CREATE RULE … DO (a; b)`, and the
/// `BEGIN ATOMIC … END` of a function.
private struct SQLNesting {
    private var parentheses = 0
    /// How many `BEGIN` and `CASE` wait for their `END`.
    private var blocks = 0
    /// The first words, as many as tell whether it makes a function.
    private var head: [String] = []
    private var isRoutine = false

    var isOpen: Bool { parentheses > 0 || blocks > 0 }

    mutating func take(_ token: SQLLexer.Token, of bytes: [UInt8]) {
        switch token.kind {
        case .symbol where bytes[token.range.lowerBound] == UInt8(ascii: "("): parentheses += 1
        case .symbol where bytes[token.range.lowerBound] == UInt8(ascii: ")"): parentheses = max(0, parentheses - 1)
        case .word where head.count < 4 || isRoutine:
            take(word: String(decoding: bytes[token.range], as: UTF8.self).lowercased())
        default: break
        }
    }

    private mutating func take(word: String) {
        if head.count < 4 {
            head.append(word)
            let kind = head.starts(with: ["create", "or", "replace"]) ? head.dropFirst(3) : head.dropFirst()
            isRoutine = head[0] == "create" && ["function", "procedure"].contains(kind.first)
        }
        guard isRoutine, parentheses == 0 else { return }
        switch word {
        case "begin": blocks += 1
        case "case" where blocks > 0: blocks += 1
        case "end" where blocks > 0: blocks -= 1
        default: break
        }
    }
}
