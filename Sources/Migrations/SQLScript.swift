/// Finds where the statements of a text of SQL end: at a semicolon that is in no string, quoted name, comment or dollar quote
/// (Postgres manual, chapter 4.1).
struct SQLScript {
    private let characters: [Unicode.Scalar]
    private var index = 0

    init(_ text: String) { characters = Array(text.unicodeScalars) }

    /// The statements, with the comments that stand before and in them, and the offset of each one's first character.
    static func statements(of text: String) -> [(sql: String, offset: Int)] {
        var script = SQLScript(text)
        var statements: [(String, Int)] = []
        while let statement = script.next() { statements.append(statement) }
        return statements
    }

    private mutating func next() -> (String, Int)? {
        while true {
            skipSpace()
            guard index < characters.count else { return nil }
            let start = index
            while index < characters.count, characters[index] != ";" { skipElement() }
            index = min(index, characters.count)  // What never ends, ends here.
            let sql = string(start..<index)
            index += 1
            if !sql.isBlank { return (sql, start) }
        }
    }

    private mutating func skipSpace() {
        while index < characters.count, characters[index].properties.isWhitespace { index += 1 }
    }

    private mutating func skipElement() {
        switch characters[index] {
        case "'": skipQuoted("'", escapes: index > 0 && "eE".unicodeScalars.contains(characters[index - 1]))
        case "\"": skipQuoted("\"", escapes: false)
        case "-" where has("--"): skipLine()
        case "/" where has("/*"): skipComment()
        case "$": skipDollarQuote()
        default: index += 1
        }
    }

    private func has(_ text: String) -> Bool { characters[index...].starts(with: text.unicodeScalars) }

    /// A comment ends at either half of a line's end.
    private mutating func skipLine() {
        while index < characters.count, !characters[index].isNewline { index += 1 }
    }

    private mutating func skip(past end: String) {
        while index < characters.count, !has(end) { index += 1 }
        index = min(index + end.unicodeScalars.count, characters.count)
    }

    private mutating func skipQuoted(_ quote: Unicode.Scalar, escapes: Bool) {
        index += 1
        while index < characters.count, characters[index] != quote {
            index += escapes && characters[index] == "\\" ? 2 : 1
        }
        index += 1
    }

    /// Comments of this kind may lie in one another.
    private mutating func skipComment() {
        var depth = 0
        repeat {
            if has("/*") { depth += 1; index += 2 } else if has("*/") { depth -= 1; index += 2 } else { index += 1 }
        } while depth > 0 && index < characters.count
    }

    private mutating func skipDollarQuote() {
        guard let end = characters[(index + 1)...].firstIndex(of: "$") else { return index += 1 }
        let tag = characters[(index + 1)..<end]
        let isTag = tag.allSatisfy { $0.properties.isAlphabetic || $0 == "_" || $0.properties.numericType != nil }
        guard isTag, tag.first?.properties.numericType == nil else { return index += 1 }
        let quote = string(index..<end + 1)
        index = end + 1
        skip(past: quote)
    }

    private func string(_ range: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: characters[range])
        return String(text)
    }
}

extension Unicode.Scalar {
    fileprivate var isNewline: Bool { self == "\n" || self == "\r" }
}

extension String {
    /// Whether there is nothing in it but space and comments to the end of the line.
    var isBlank: Bool {
        unicodeScalars.split(whereSeparator: \.isNewline).allSatisfy { line in
            let text = line.drop { $0.properties.isWhitespace }
            return text.isEmpty || text.starts(with: "--".unicodeScalars)
        }
    }

    /// The lines, which end with LF, CRLF or CR. To `split`, CRLF is one character, and so no LF.
    var lines: [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in unicodeScalars {
            defer { previous = scalar }
            if scalar == "\n" && previous == "\r" { continue }
            guard scalar.isNewline else {
                line.append(scalar)
                continue
            }
            lines.append(String(line))
            line = String.UnicodeScalarView()
        }
        return lines + [String(line)]
    }

    /// Without space at its ends.
    var stripped: String {
        let start = firstIndex { !$0.isWhitespace } ?? endIndex
        let end = lastIndex { !$0.isWhitespace }.map(index(after:)) ?? start
        return String(self[start..<end])
    }
}
