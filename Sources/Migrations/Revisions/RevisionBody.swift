import Synchronization

/// What stands behind `-- upgrade` in a file: parsed once, when somebody first asks for it.
final class RevisionBody: Sendable {
    typealias Sections = (upgrade: Revision.Section, downgrade: Revision.Section)

    private let text: String
    private let start: Int
    private let file: String
    private let parsed = Mutex<Sections?>(nil)

    init(_ text: String, from start: Int, file: String) { (self.text, self.start, self.file) = (text, start, file) }

    var sections: Sections {
        parsed.withLock { parsed in
            let sections = parsed ?? parse()
            parsed = sections
            return sections
        }
    }

    private func parse() -> Sections {
        let bytes = Array(text.utf8)
        let marks = RevisionMark.all(in: bytes, from: start)
        let divider = marks.first { $0.text == "-- downgrade" }?.range ?? bytes.count..<bytes.count
        var upgrade = SectionParser(bytes, file, in: start..<divider.lowerBound)
        var downgrade = SectionParser(bytes, file, in: divider.upperBound..<bytes.count)
        if divider.isEmpty { downgrade.refuse(at: bytes.count, "the line \"-- downgrade\" is missing") }
        upgrade.parse(marks, isUpgrade: true)
        downgrade.parse(marks, isUpgrade: false)
        return (upgrade.section, downgrade.section)
    }
}

/// A comment that is about a whole section; it begins at the beginning of its line, and is in no string and no other comment.
private struct RevisionMark {
    let text: String
    let range: Range<Int>

    static func all(in bytes: [UInt8], from start: Int) -> [RevisionMark] {
        SQLLexer(bytes, in: start..<bytes.count).lazy
            .filter { $0.kind == .lineComment && bytes[$0.range.lowerBound - 1] == UInt8(ascii: "\n") }
            .map {
                RevisionMark(text: String(decoding: bytes[$0.range], as: UTF8.self).withoutBlanksAtEnd, range: $0.range)
            }
            .filter { mark in
                ["-- upgrade", "-- downgrade"].contains(mark.text)
                    || ["-- breaking:", "-- irreversible:"].contains(where: mark.text.hasPrefix)
            }
    }

    /// What stands behind the colon.
    func reason(of prefix: String) -> String? {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)).stripped : nil
    }
}

/// Parses one section; the first thing that is wrong in it is told, and it must not be run.
private struct SectionParser {
    private let bytes: [UInt8]
    private let file: String
    private let range: Range<Int>
    private var statements: [Revision.Statement] = []
    private var (breaking, irreversible): (String?, String?)
    private var problem: (offset: Int, reason: String)?
    /// How far the lines have been counted.
    private var counted: (offset: Int, line: Int)

    init(_ bytes: [UInt8], _ file: String, in range: Range<Int>) {
        (self.bytes, self.file, self.range) = (bytes, file, range)
        counted = (0, 1)
    }

    var section: Revision.Section {
        Revision.Section(
            statements: statements, irreversible: irreversible, breaking: breaking,
            problem: problem.map {
                MalformedRevision(file: file, line: line(of: $0.offset, from: (0, 1)), reason: $0.reason)
            })
    }

    mutating func parse(_ marks: [RevisionMark], isUpgrade: Bool) {
        for mark in marks where range.contains(mark.range.lowerBound) { take(mark, isUpgrade: isUpgrade) }
        if let offset = bytes[range].firstIndex(of: 0) { refuse(at: offset, "a NUL byte ends the text for Postgres") }
        var isOutside = false
        for statement in SQLScript(bytes, in: range) { take(statement, &isOutside) }
    }

    /// What stands first in the file is told.
    mutating func refuse(at offset: Int, _ reason: String) {
        if offset < problem?.offset ?? .max { problem = (offset, reason) }
    }

    private mutating func take(_ mark: RevisionMark, isUpgrade: Bool) {
        let offset = mark.range.lowerBound
        if let reason = mark.reason(of: "-- breaking:") {
            breaking = breaking ?? reason
            if !isUpgrade { refuse(at: offset, "-- breaking: belongs into the upgrade") }
            if reason.isEmpty { refuse(at: offset, "-- breaking: needs a reason") }
        } else if let reason = mark.reason(of: "-- irreversible:") {
            irreversible = irreversible ?? reason
            if isUpgrade { refuse(at: offset, "-- irreversible: belongs into the downgrade") }
        } else {
            refuse(at: offset, "\"\(mark.text)\" stands here a second time")
        }
    }

    private mutating func take(_ statement: SQLScript.Statement, _ isOutside: inout Bool) {
        var markers = StatementMarkers()
        for comment in statement.comments where beginsLine(comment.lowerBound) {
            markers.take(text(comment).stripped)
            if let unfinished = markers.unfinished {
                refuse(at: comment.lowerBound, "\"\(unfinished)\" is not finished: it needs what it is about, and why")
            }
        }
        isOutside = markers.isOutside ?? isOutside
        if let start = statement.unclosed { refuse(at: start, "what begins here never ends") }
        if let (offset, reason) = SQLTransactionControl.refusal(of: bytes, in: statement.range) {
            refuse(at: offset, reason)
        }
        let start = statement.range.lowerBound
        counted = (start, line(of: start, from: counted))
        statements.append(
            Revision.Statement(
                sql: text(statement.range), line: counted.line, isOutside: isOutside, dataLoss: markers.dataLoss,
                allowed: markers.allowed))
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func line(of offset: Int, from counted: (offset: Int, line: Int)) -> Int {
        counted.line + bytes[counted.offset..<offset].count { $0 == UInt8(ascii: "\n") }
    }

    private func beginsLine(_ offset: Int) -> Bool {
        let before = bytes[..<offset].last { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        return before == UInt8(ascii: "\n")
    }
}

/// The comments before a statement that mean something.
private struct StatementMarkers {
    private(set) var isOutside: Bool?
    private(set) var dataLoss: String?
    private(set) var allowed: [String: String] = [:]
    /// A marker that lacks something.
    private(set) var unfinished: String?

    mutating func take(_ line: String) {
        if line == "-- outside transaction" { isOutside = true }
        if line == "-- inside transaction" { isOutside = false }
        if let what = text(of: line, after: "-- data loss:") { dataLoss = what }
        if let text = text(of: line, after: "-- lint: allow") {
            let words = text.split(separator: " ", maxSplits: 1).map { String($0) }
            if words.count == 2 { allowed[words[0]] = words[1] } else { unfinished = line }
        }
    }

    private mutating func text(of line: String, after prefix: String) -> String? {
        guard line.hasPrefix(prefix) else { return nil }
        let text = String(line.dropFirst(prefix.count)).stripped
        if text.isEmpty { unfinished = line }
        return text
    }
}
