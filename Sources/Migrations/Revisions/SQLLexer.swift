/// Reads SQL token by token, by the rules of psql (`src/fe_utils/psqlscan.l`) with `standard_conforming_strings` on.
struct SQLLexer: Sequence, IteratorProtocol {
    struct Token {
        enum Kind { case word, number, string, quotedName, symbol, lineComment, blockComment }

        let kind: Kind
        /// Where it stands in the bytes.
        let range: Range<Int>
        /// Whether it has the end that it needs; without one, it reaches to the end of the text.
        let isClosed: Bool

        var isComment: Bool { kind == .lineComment || kind == .blockComment }
    }

    private let bytes: [UInt8]
    private let end: Int
    private var index: Int

    init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
        self.bytes = bytes
        (index, end) = (range?.lowerBound ?? 0, range?.upperBound ?? bytes.count)
    }

    mutating func next() -> Token? {
        skip { $0.isSQLSpace }
        guard index < end else { return nil }
        let start = index
        let (kind, isClosed) = scan()
        return Token(kind: kind, range: start..<index, isClosed: isClosed)
    }

    private mutating func scan() -> (Token.Kind, isClosed: Bool) {
        switch at(0) {
        case "-" where at(1) == "-": return (.lineComment, skipLine())
        case "/" where at(1) == "*": return (.blockComment, skipBlockComment())
        case "'": return (.string, skipQuoted("'"))
        case "\"": return (.quotedName, skipQuoted("\""))
        case "e" where at(1) == "'", "E" where at(1) == "'": return (.string, skipEscapeString())
        case "b" where at(1) == "'", "B" where at(1) == "'", "x" where at(1) == "'", "X" where at(1) == "'",
            "n" where at(1) == "'", "N" where at(1) == "'":
            index += 1
            return (.string, skipQuoted("'"))
        case "u" where at(1) == "&", "U" where at(1) == "&": return skipUnicode()
        case "$": return skipDollar()
        case "0"..."9": return (.number, skipNumber())
        case let scalar where scalar.beginsName: return (.word, skip { $0.continuesName })
        default:
            index += 1
            return (.symbol, true)
        }
    }

    // MARK: Bytes

    /// The byte so far ahead; NUL behind the end.
    private func at(_ offset: Int) -> Unicode.Scalar {
        index + offset < end ? Unicode.Scalar(bytes[index + offset]) : "\0"
    }

    /// Always true, so that it says that what was skipped has its end.
    @discardableResult
    private mutating func skip(while condition: (Unicode.Scalar) -> Bool) -> Bool {
        while index < end, condition(Unicode.Scalar(bytes[index])) { index += 1 }
        return true
    }

    // MARK: Comments

    private mutating func skipLine() -> Bool { skip { $0 != "\n" && $0 != "\r" } }

    /// Comments of this kind may lie in one another.
    private mutating func skipBlockComment() -> Bool {
        var depth = 0
        while index < end {
            switch (at(0), at(1)) {
            case ("/", "*"): (depth, index) = (depth + 1, index + 2)
            case ("*", "/"): (depth, index) = (depth - 1, index + 2)
            default: index += 1
            }
            if depth == 0 { return true }
        }
        return false
    }

    // MARK: Quotes

    /// What has no escape but the doubled quote.
    private mutating func skipQuoted(_ quote: Unicode.Scalar) -> Bool {
        index += 1
        while index < end {
            defer { index += 1 }
            guard at(0) == quote else { continue }
            guard at(1) == quote else { return true }
            index += 1
        }
        return false
    }

    private mutating func skipEscapeString() -> Bool {
        index += 2
        while index < end {
            switch at(0) {
            case "\\": index = Swift.min(index + 2, end)
            case "'" where at(1) == "'": index += 2
            case "'":
                index += 1
                guard skipToContinuation() else { return true }
            default: index += 1
            }
        }
        return false
    }

    /// To the server, a string goes on behind a line's end, with the escapes that it has; psql, which reads line by line, misses it.
    private mutating func skipToContinuation() -> Bool {
        var ahead = self
        var hasNewline = false
        while ahead.index < end {
            switch ahead.at(0) {
            case "'" where hasNewline:
                index = ahead.index + 1
                return true
            case "-" where ahead.at(1) == "-": _ = ahead.skipLine()
            case let scalar where scalar.isSQLSpace:
                hasNewline = hasNewline || scalar == "\n" || scalar == "\r"
                ahead.index += 1
            default: return false
            }
        }
        return false
    }

    /// `U&'…'` and `U&"…"`; other than these, `u` is a name.
    private mutating func skipUnicode() -> (Token.Kind, isClosed: Bool) {
        let quote = at(2)
        guard quote == "'" || quote == "\"" else { return (.word, skip { $0.continuesName }) }
        index += 2
        return (quote == "'" ? .string : .quotedName, skipQuoted(quote))
    }

    /// `$$…$$` and `$tag$…$tag$`; a `$` that opens no quote is a symbol.
    private mutating func skipDollar() -> (Token.Kind, isClosed: Bool) {
        let start = index
        index += 1
        if at(0).beginsName { skip { $0.continuesName && $0 != "$" } }
        guard at(0) == "$" else {
            index = start + 1
            return (.symbol, true)
        }
        index += 1
        return (.string, skip(past: bytes[start..<index]))
    }

    private mutating func skip(past quote: ArraySlice<UInt8>) -> Bool {
        while index < end {
            if at(0) == "$", bytes[index..<end].starts(with: quote) {
                index += quote.count
                return true
            }
            index += 1
        }
        return false
    }

    /// The letters that stand right behind the digits belong to them, as in `1a$b$`.
    private mutating func skipNumber() -> Bool {
        skip { "0"..."9" ~= $0 }
        return at(0).beginsName ? skip { $0.continuesName } : true
    }
}

/// A byte as the lexer takes it: those of a character that is not ASCII are letters.
extension Unicode.Scalar {
    fileprivate var isSQLSpace: Bool { self == " " || "\t"..."\r" ~= self }

    fileprivate var beginsName: Bool {
        "a"..."z" ~= self || "A"..."Z" ~= self || self == "_" || self >= "\u{80}"
    }

    fileprivate var continuesName: Bool { beginsName || "0"..."9" ~= self || self == "$" }
}
