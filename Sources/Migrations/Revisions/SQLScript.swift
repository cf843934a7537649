/// Splits SQL into statements at the same semicolons as psql.
struct SQLScript: Sequence, IteratorProtocol {
    struct Statement {
        /// The byte range from the first token to the last, without the semicolon. The range includes a preceding
        /// `/* */` comment, which may be a planner hint.
        let range: Range<Int>
        /// The byte ranges of the preceding `--` comments.
        let comments: [Range<Int>]
        /// The offset of an unterminated string, quoted identifier or comment, if there is one.
        let unclosed: Int?
    }

    private var lexer: SQLLexer
    private let bytes: [UInt8]

    init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
        self.bytes = bytes
        lexer = SQLLexer(bytes, in: range)
    }

    /// The statements of a text, each with its byte offset.
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
                nesting.update(token, of: bytes)
                (start, end) = (start ?? token.range.lowerBound, token.range.upperBound)
            }
        }
        guard let start, let end else { return nil }
        return Statement(range: start..<end, comments: comments, unclosed: unclosed)
    }
}

/// The open constructs inside which a semicolon does not end a statement: parentheses, as in `CREATE RULE … DO (a; b)`,
/// and the `BEGIN ATOMIC … END` of a function.
private struct SQLNesting {
    private var parentheses = 0
    /// The number of `BEGIN` and `CASE` without an `END` so far.
    private var blocks = 0
    /// The first words of the statement, enough to recognize `CREATE FUNCTION` and `CREATE PROCEDURE`.
    private var head: [String] = []
    private var isRoutine = false

    var isOpen: Bool { parentheses > 0 || blocks > 0 }

    mutating func update(_ token: SQLLexer.Token, of bytes: [UInt8]) {
        switch token.kind {
        case .symbol where bytes[token.range.lowerBound] == UInt8(ascii: "("): parentheses += 1
        case .symbol where bytes[token.range.lowerBound] == UInt8(ascii: ")"): parentheses = max(0, parentheses - 1)
        case .word where head.count < 4 || isRoutine:
            update(word: String(decoding: bytes[token.range], as: UTF8.self).lowercased())
        default: break
        }
    }

    private mutating func update(word: String) {
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
