/// Splits SQL into tokens by the rules of psql (`src/fe_utils/psqlscan.l`) with `standard_conforming_strings` on.
struct SQLLexer: Sequence, IteratorProtocol {
    struct Token {
        enum Kind { case word, number, string, quotedName, symbol, lineComment, blockComment }

        let kind: Kind
        /// The token's byte range.
        let range: Range<Int>
        /// Whether a string, quoted identifier or comment is terminated; if not, it extends to the end of the text.
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

    /// The byte at an offset from the current position; NUL at and after the end of the text.
    private func at(_ offset: Int) -> Unicode.Scalar {
        index + offset < end ? Unicode.Scalar(bytes[index + offset]) : "\0"
    }

    /// Skips bytes while a condition holds.
    /// - Returns: Always true, for use as `isClosed`: a token that is scanned in this way needs no terminator, so it is
    ///   never left open.
    @discardableResult
    private mutating func skip(while condition: (Unicode.Scalar) -> Bool) -> Bool {
        while index < end, condition(Unicode.Scalar(bytes[index])) { index += 1 }
        return true
    }

    // MARK: Comments

    private mutating func skipLine() -> Bool { skip { $0 != "\n" && $0 != "\r" } }

    /// Skips a block comment, which may contain nested block comments.
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

    /// Skips a quoted token in which a doubled quote is the only escape.
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

    /// Skips the opening quote of an escape string's continuation on a later line. The server applies the same
    /// escapes in the continuation; psql, which scans line by line, does not recognize continuations.
    /// - Returns: Whether the escape string is continued.
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

    /// Skips `U&'…'` or `U&"…"`; otherwise `u` begins a name.
    private mutating func skipUnicode() -> (Token.Kind, isClosed: Bool) {
        let quote = at(2)
        guard quote == "'" || quote == "\"" else { return (.word, skip { $0.continuesName }) }
        index += 2
        return (quote == "'" ? .string : .quotedName, skipQuoted(quote))
    }

    /// Skips `$$…$$` or `$tag$…$tag$`; a `$` that begins no dollar quote is a symbol.
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

    /// Skips digits and the letters directly after them, which belong to the same token, as in `1a$b$`.
    private mutating func skipNumber() -> Bool {
        skip { "0"..."9" ~= $0 }
        return at(0).beginsName ? skip { $0.continuesName } : true
    }
}

/// Character classes of the lexer, for single bytes. The bytes of a non-ASCII character count as letters.
extension Unicode.Scalar {
    fileprivate var isSQLSpace: Bool { self == " " || "\t"..."\r" ~= self }

    fileprivate var beginsName: Bool {
        "a"..."z" ~= self || "A"..."Z" ~= self || self == "_" || self >= "\u{80}"
    }

    fileprivate var continuesName: Bool { beginsName || "0"..."9" ~= self || self == "$" }
}
