extension Revision {
    /// Reads a revision's file.
    /// - Throws: `MalformedRevision`, with the line and the reason.
    public init(parsing text: String, file: String) throws(MalformedRevision) {
        let lines = text.lines
        let script = RevisionFile(lines: lines, file: file)
        let (upgrade, downgrade) = (try script.marker("-- upgrade"), try script.marker("-- downgrade"))
        guard upgrade < downgrade else { throw script.malformed(downgrade, "-- downgrade stands before -- upgrade") }
        self.file = file
        self.text = text
        message = try script.message()
        guard let id = try script.ids("Revision ID", before: upgrade).first else {
            throw script.malformed(upgrade, "Revision ID is empty")
        }
        self.id = id
        parents = try script.ids("Revises", before: upgrade)
        created = script.value("Create Date", before: upgrade)?.value ?? ""
        self.upgrade = try script.section(upgrade + 1..<downgrade)
        self.downgrade = try script.section(downgrade + 1..<lines.count)
        if self.upgrade.irreversible != nil {
            throw script.malformed(upgrade, "-- irreversible: belongs into the downgrade")
        }
        if self.downgrade.breaking != nil { throw script.malformed(downgrade, "-- breaking: belongs into the upgrade") }
        if self.upgrade.breaking == "" { throw script.malformed(upgrade, "-- breaking: needs a reason") }
    }
}

/// The lines of a revision's file.
private struct RevisionFile {
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

    func value(_ name: String, before end: Int) -> (value: String, index: Int)? {
        let prefix = "-- \(name):"
        guard let index = lines[..<end].firstIndex(where: { $0.hasPrefix(prefix) }) else { return nil }
        return (String(lines[index].dropFirst(prefix.count)).stripped, index)
    }

    /// Ids with commas between.
    func ids(_ name: String, before end: Int) throws(MalformedRevision) -> [String] {
        guard let (value, index) = value(name, before: end) else {
            throw malformed(end, "the header has no line \"-- \(name):\"")
        }
        let ids = value.split(separator: ",").map { String($0).stripped }
        for id in ids where id.isEmpty || id.count > 32 || !id.allSatisfy(\.isIDCharacter) {
            throw malformed(index, "an id is 1 to 32 letters, digits and underscores, not \"\(id)\"")
        }
        return ids
    }

    func section(_ range: Range<Int>) throws(MalformedRevision) -> Revision.Section {
        let text = lines[range].joined(separator: "\n")
        var (rest, line) = (text.unicodeScalars[...], range.lowerBound)
        var statements: [Revision.Statement] = []
        var (isOutside, passed) = (false, 0)
        for (sql, offset) in SQLScript.statements(of: text) {
            let start = rest.index(rest.startIndex, offsetBy: offset - passed)
            line += rest[..<start].count { $0 == "\n" }
            (rest, passed) = (rest[start...], offset)
            let first = line
            let markers = Markers(sql)
            isOutside = markers.isOutside ?? isOutside
            for (offset, text) in markers.unknown {
                throw malformed(first + offset, "\"\(text)\" is not finished: it needs what it is about, and why")
            }
            statements.append(
                Revision.Statement(
                    sql: markers.sql, line: first + markers.lines + 1, isOutside: isOutside, dataLoss: markers.dataLoss,
                    allowed: markers.allowed))
        }
        return Revision.Section(
            statements: statements, irreversible: remark("-- irreversible:", in: range),
            breaking: remark("-- breaking:", in: range))
    }

    /// What stands behind the first of the lines that begin so.
    private func remark(_ prefix: String, in range: Range<Int>) -> String? {
        lines[range].first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)).stripped }
    }
}

extension Character {
    fileprivate var isIDCharacter: Bool { isASCII && (isLetter || isNumber || self == "_") }
}

/// The comments before a statement that mean something, and the statement without them.
private struct Markers {
    private(set) var sql: String
    /// How many lines of comments stand before the statement.
    private(set) var lines = 0
    private(set) var isOutside: Bool?
    private(set) var dataLoss: String?
    private(set) var allowed: [String: String] = [:]
    /// Markers that lack something, with their lines.
    private(set) var unknown: [(line: Int, text: String)] = []

    init(_ text: String) {
        var rest = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        sql = text
        while let line = rest.first.map({ String($0).stripped }), line.isEmpty || line.hasPrefix("--") {
            take(line)
            lines += 1
            rest = rest.dropFirst()
        }
        sql = rest.joined(separator: "\n").stripped
    }

    private mutating func take(_ line: String) {
        if line == "-- outside transaction" { isOutside = true }
        if line == "-- inside transaction" { isOutside = false }
        if let what = text(of: line, after: "-- data loss:") { dataLoss = what }
        if let text = text(of: line, after: "-- lint: allow") {
            let words = text.split(separator: " ", maxSplits: 1).map { String($0) }
            if words.count == 2 { allowed[words[0]] = words[1] } else { unknown.append((lines, line)) }
        }
    }

    private mutating func text(of line: String, after prefix: String) -> String? {
        guard line.hasPrefix(prefix) else { return nil }
        let text = String(line.dropFirst(prefix.count)).stripped
        if text.isEmpty { unknown.append((lines, line)) }
        return text
    }
}
