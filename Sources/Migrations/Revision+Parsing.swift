extension Revision {
    /// Reads a revision's file.
    /// - Throws: `MalformedRevision`, with the line and the reason.
    public init(parsing text: String, file: String) throws(MalformedRevision) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        let script = Script(lines: lines, file: file)
        let (upgrade, downgrade) = (try script.marker("-- upgrade"), try script.marker("-- downgrade"))
        guard upgrade < downgrade else { throw script.malformed(downgrade, "-- downgrade stands before -- upgrade") }
        self.file = file
        message = try script.message()
        id = try script.value("Revision ID", before: upgrade)
        down = try script.optionalValue("Revises", before: upgrade)
        self.upgrade = script.section(upgrade + 1..<downgrade)
        self.downgrade = script.section(downgrade + 1..<lines.count)
    }
}

/// The lines of a revision's file.
private struct Script {
    let lines: [String]
    let file: String

    func malformed(_ index: Int, _ reason: String) -> MalformedRevision {
        MalformedRevision(file: file, line: index + 1, reason: reason)
    }

    /// Where a section begins; it must do so once.
    func marker(_ marker: String) throws(MalformedRevision) -> Int {
        let places = lines.indices.filter { lines[$0] == marker }
        guard let first = places.first else { throw malformed(lines.count - 1, "the line \"\(marker)\" is missing") }
        guard places.count == 1 else { throw malformed(places[1], "\"\(marker)\" stands here a second time") }
        return first
    }

    func message() throws(MalformedRevision) -> String {
        guard let first = lines.first, first.hasPrefix("-- "), first.count > 3 else {
            throw malformed(0, "the first line must be the message: -- What it is for")
        }
        return String(first.dropFirst(3))
    }

    func value(_ name: String, before end: Int) throws(MalformedRevision) -> String {
        guard let value = try optionalValue(name, before: end) else { throw malformed(end, "\(name) is empty") }
        return value
    }

    func optionalValue(_ name: String, before end: Int) throws(MalformedRevision) -> String? {
        let prefix = "-- \(name):"
        guard let index = lines[..<end].firstIndex(where: { $0.hasPrefix(prefix) }) else {
            throw malformed(end, "the header has no line \"\(prefix)\"")
        }
        let value = lines[index].dropFirst(prefix.count).filter { $0 != " " }
        guard value.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }), value.count <= 32 else {
            throw malformed(index, "an id is 1 to 32 letters, digits and underscores, not \"\(value)\"")
        }
        return value.isEmpty ? nil : value
    }

    func section(_ range: Range<Int>) -> Revision.Section {
        Revision.Section(sql: lines[range].joined(separator: "\n"), line: range.lowerBound + 1)
    }
}
