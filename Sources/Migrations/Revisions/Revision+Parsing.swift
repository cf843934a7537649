extension Revision {
    /// Parses the header of a revision file; the sections are parsed lazily.
    /// - Parameters:
    ///   - text: the file's contents.
    ///   - file: its path, for error messages.
    /// - Throws: `MalformedRevision` with the line and the reason.
    public init(parsing text: String, file: String) throws(MalformedRevision) {
        let text = text.withNormalizedLineEndings
        let header = try RevisionHeader(text, file: file)
        message = try header.message()
        guard let id = try header.ids("Revision ID").first else {
            throw header.malformed(header.lines.count, "Revision ID is empty")
        }
        (self.id, self.file, self.text) = (id, file, text)
        parents = try header.ids("Revises")
        created = header.value("Create Date")?.value ?? ""
        replacement = try header.replacement()
        body = RevisionBody(text, from: header.end, file: file)
    }
}

/// The header of a revision file: the lines before `-- upgrade`. The first line is the message, and is not searched for
/// header fields.
private struct RevisionHeader {
    private(set) var lines: [String] = []
    /// The byte offset of the line after `-- upgrade`.
    let end: Int
    let file: String

    init(_ text: String, file: String) throws(MalformedRevision) {
        self.file = file
        var rest = text.utf8[...]
        var isFound = false
        while !isFound {
            let bytes = rest.prefix { $0 != UInt8(ascii: "\n") }
            let line = String(Substring(bytes)).withoutBlanksAtEnd
            isFound = line == "-- upgrade" && !lines.isEmpty
            if !isFound { lines.append(line) }
            guard isFound || bytes.endIndex < rest.endIndex else { break }
            rest = rest[bytes.endIndex...].dropFirst()
        }
        end = text.utf8.distance(from: text.startIndex, to: rest.startIndex)
        guard isFound else { throw malformed(lines.count - 1, "the line \"-- upgrade\" is missing") }
        if let index = lines.dropFirst().firstIndex(of: "-- downgrade") {
            throw malformed(index, "-- downgrade must come after -- upgrade")
        }
        for (index, line) in lines.enumerated().dropFirst() where Marker(resembling: line.stripped) != nil {
            throw malformed(index, "\"\(line)\" has no effect here: write it below -- upgrade")
        }
    }

    func malformed(_ index: Int, _ reason: String) -> MalformedRevision {
        MalformedRevision(file: file, line: index + 1, reason: reason)
    }

    func message() throws(MalformedRevision) -> String {
        guard lines[0].hasPrefix("-- ") else {
            throw malformed(0, "the first line must be the message: -- What the revision does")
        }
        return String(lines[0].dropFirst(3)).stripped
    }

    /// The value of the first header field with this name, and the index of its line; `nil` if there is no such field.
    func value(_ name: String) -> (value: String, index: Int)? {
        let prefix = "-- \(name):"
        guard let index = lines.dropFirst().firstIndex(where: { $0.hasPrefix(prefix) }) else { return nil }
        return (String(lines[index].dropFirst(prefix.count)).stripped, index)
    }

    func replacement() throws(MalformedRevision) -> Replacement {
        guard value("Replaces") != nil else { return Replacement() }
        let prefix = "-- Replaces breaking: "
        let reasons = lines.filter { $0.hasPrefix(prefix) }.map {
            $0.dropFirst(prefix.count).split(separator: " ", maxSplits: 1)
        }
        return Replacement(
            ids: try ids("Replaces"), checksum: value("Replaces checksum")?.value,
            breaking: Dictionary(reasons.map { (String($0[0]), String($0.last ?? "")) }, uniquingKeysWith: { $1 }))
    }

    /// Returns the comma-separated ids of a header field.
    func ids(_ name: String) throws(MalformedRevision) -> [String] {
        guard let (value, index) = value(name) else {
            throw malformed(lines.count, "the header has no line \"-- \(name):\"")
        }
        let ids = value.split(separator: ",").map { String($0).stripped }
        for id in ids where id.isEmpty || id.count > 32 || !id.allSatisfy(\.isIDCharacter) {
            throw malformed(index, "an id consists of 1 to 32 letters, digits and underscores, not \"\(id)\"")
        }
        if let id = ids.first(where: ["base", "current", "head", "heads"].contains) {
            throw malformed(index, "\"\(id)\" cannot be an id: it is a symbolic name")
        }
        return ids
    }
}

extension Character {
    fileprivate var isIDCharacter: Bool { isASCII && (isLetter || isNumber || self == "_") }
}

extension String {
    /// The text with LF line endings instead of CRLF or CR, and without a byte-order mark.
    fileprivate var withNormalizedLineEndings: String {
        let text = unicodeScalars.first == "\u{feff}" ? String(unicodeScalars.dropFirst()) : self
        guard text.utf8.contains(UInt8(ascii: "\r")) else { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var previous: UInt8?
        for byte in text.utf8 {
            defer { previous = byte }
            if byte == UInt8(ascii: "\n"), previous == UInt8(ascii: "\r") { continue }
            bytes.append(byte == UInt8(ascii: "\r") ? UInt8(ascii: "\n") : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The string without trailing whitespace.
    var withoutBlanksAtEnd: String {
        String(self[..<(lastIndex { !$0.isWhitespace }.map(index(after:)) ?? startIndex)])
    }

    /// The string without leading and trailing whitespace.
    var stripped: String { String(withoutBlanksAtEnd.drop(while: \.isWhitespace)) }
}
