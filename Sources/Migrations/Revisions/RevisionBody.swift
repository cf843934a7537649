import Synchronization

/// The sections of a revision file, from `-- upgrade` to its end; parsed once, on first access.
final class RevisionBody: Sendable {
    private let text: String
    private let start: Int
    private let file: String
    private let parsed = Mutex<[SectionKind: Revision.Section]?>(nil)

    init(_ text: String, from start: Int, file: String) { (self.text, self.start, self.file) = (text, start, file) }

    subscript(_ kind: SectionKind) -> Revision.Section {
        let sections = parsed.withLock { parsed in
            let sections = parsed ?? parse()
            parsed = sections
            return sections
        }
        return sections[kind] ?? .empty
    }

    private func parse() -> [SectionKind: Revision.Section] {
        let bytes = Array(text.utf8)
        let marks = RevisionMark.all(in: bytes, from: start)
        let extents = SectionKind.extents(marks, from: start, to: bytes.count)
        var sections: [SectionKind: Revision.Section] = [:]
        for (kind, extent) in extents {
            var parser = SectionParser(bytes, file, in: extent.content)
            parser.parse(marks, as: kind)
            sections[kind] = parser.section
        }
        if sections[.downgrade] == nil {
            var parser = SectionParser(bytes, file, in: bytes.count..<bytes.count)
            parser.report(at: bytes.count, "the line \"-- downgrade\" is missing")
            sections[.downgrade] = parser.section
        }
        return sections
    }

    /// The file's text without the verify and fixtures sections, which neither an upgrade nor a downgrade executes.
    var checksumText: String {
        guard text.contains("\n-- fixtures") || text.contains("\n-- verify") else { return text }
        let bytes = Array(text.utf8)
        let extents = SectionKind.extents(RevisionMark.all(in: bytes, from: start), from: start, to: bytes.count)
        var remaining = bytes
        for kind in [SectionKind.fixtures, .verify].sorted(by: { extents[$0]?.start ?? 0 > extents[$1]?.start ?? 0 }) {
            if let extent = extents[kind] { remaining.removeSubrange(extent.start..<extent.content.upperBound) }
        }
        // The text before the sections were added, if the file ended with one newline.
        return String(decoding: remaining, as: UTF8.self).withoutBlanksAtEnd + "\n"
    }
}

/// The sections of a revision file. Each begins with a comment line such as `-- downgrade`.
enum SectionKind: String, CaseIterable {
    case upgrade, downgrade, fixtures, verify

    /// The byte offset of a section's first line, and the byte range after that line.
    typealias Extent = (start: Int, content: Range<Int>)

    fileprivate static func extents(_ marks: [RevisionMark], from start: Int, to end: Int) -> [SectionKind: Extent] {
        var begins: [(kind: SectionKind, range: Range<Int>)] = [(.upgrade, start..<start)]
        for mark in marks {
            if let kind = mark.section, !begins.contains(where: { $0.kind == kind }) {
                begins.append((kind, mark.range))
            }
        }
        let ends = begins.dropFirst().map(\.range.lowerBound) + [end]
        return Dictionary(
            uniqueKeysWithValues: zip(begins, ends).map { begin, end in
                (begin.kind, (begin.range.lowerBound, begin.range.upperBound..<end))
            })
    }
}

/// A comment that applies to a whole section. It begins at the start of a line, and is not inside a string or another
/// comment.
private struct RevisionMark {
    let text: String
    let range: Range<Int>

    static func all(in bytes: [UInt8], from start: Int) -> [RevisionMark] {
        SQLLexer(bytes, in: start..<bytes.count).lazy
            .filter { $0.kind == .lineComment && bytes[$0.range.lowerBound - 1] == UInt8(ascii: "\n") }
            .map {
                RevisionMark(text: String(decoding: bytes[$0.range], as: UTF8.self).withoutBlanksAtEnd, range: $0.range)
            }
            .filter { mark in mark.section != nil || properties.contains(where: mark.text.hasPrefix) }
    }

    static let (breaking, irreversible, contract) = ("-- breaking:", "-- irreversible:", "-- contract of ")
    private static let properties = [breaking, irreversible, contract]

    /// The section that begins at this comment, if it is a section line.
    var section: SectionKind? { text.hasPrefix("-- ") ? SectionKind(rawValue: String(text.dropFirst(3))) : nil }

    /// Returns the text after a prefix; `nil` if the comment does not begin with this prefix.
    func text(after words: String) -> String? {
        text.hasPrefix(words) ? String(text.dropFirst(words.count)).stripped : nil
    }
}

/// Parses one section. Only its first problem is reported.
private struct SectionParser {
    private let bytes: [UInt8]
    private let file: String
    private let range: Range<Int>
    private var statements: [Revision.Statement] = []
    private var (breaking, irreversible, contracted): (String?, String?, String?)
    private var problem: (offset: Int, reason: String)?
    /// The offsets of the statements, and of the comments that are read as statement markers.
    private var (starts, used): ([Int], Set<Int>) = ([], [])
    /// The offset up to which newlines have been counted, and the number of the line there.
    private var counted: (offset: Int, line: Int)

    init(_ bytes: [UInt8], _ file: String, in range: Range<Int>) {
        (self.bytes, self.file, self.range) = (bytes, file, range)
        counted = (0, 1)
    }

    var section: Revision.Section {
        Revision.Section(
            statements: statements, irreversible: irreversible, breaking: breaking, contracted: contracted,
            problem: problem.map {
                MalformedRevision(file: file, line: line(of: $0.offset, from: (0, 1)), reason: $0.reason)
            })
    }

    mutating func parse(_ marks: [RevisionMark], as kind: SectionKind) {
        for mark in marks where range.contains(mark.range.lowerBound) { record(mark, kind) }
        if let offset = bytes[range].firstIndex(of: 0) { report(at: offset, "Postgres does not accept NUL bytes") }
        var isOutside = false
        for statement in SQLScript(bytes, in: range) { record(statement, &isOutside) }
        reportLastingSettings()
        reportStrayMarkers(besides: marks)
        if [.fixtures, .verify].contains(kind), statements.contains(where: \.isOutside) {
            report(at: range.lowerBound, "\"-- \(kind.rawValue)\" runs in a single transaction")
        }
    }

    /// Records a problem, unless one at a smaller offset is known.
    mutating func report(at offset: Int, _ reason: String) {
        if offset < problem?.offset ?? .max { problem = (offset, reason) }
    }

    private mutating func record(_ mark: RevisionMark, _ kind: SectionKind) {
        let offset = mark.range.lowerBound
        if let reason = mark.text(after: RevisionMark.breaking) {
            breaking = breaking ?? reason
            if kind != .upgrade { report(at: offset, "-- breaking: belongs in the upgrade section") }
            if reason.isEmpty { report(at: offset, "-- breaking: needs a reason") }
        } else if let reason = mark.text(after: RevisionMark.irreversible) {
            irreversible = irreversible ?? reason
            if kind != .downgrade { report(at: offset, "-- irreversible: belongs in the downgrade section") }
        } else if let id = mark.text(after: RevisionMark.contract) {
            if contracted != nil { report(at: offset, "an upgrade can be the contract of one revision only") }
            contracted = contracted ?? id
            if kind != .upgrade { report(at: offset, "-- contract of belongs in the upgrade section") }
        } else {
            report(at: offset, "duplicate section \"\(mark.text)\"")
        }
    }

    private mutating func record(_ statement: SQLScript.Statement, _ isOutside: inout Bool) {
        var markers = StatementMarkers()
        starts.append(statement.range.lowerBound)
        for comment in statement.comments where beginsLine(comment.lowerBound) {
            used.insert(comment.lowerBound)
            markers.record(text(comment).stripped)
            if let problem = markers.problem { report(at: comment.lowerBound, problem) }
        }
        isOutside = markers.isOutside ?? isOutside
        if let start = statement.unclosed { report(at: start, "unterminated string, identifier or comment") }
        if let (offset, reason) = SQLTransactionControl.refusal(of: bytes, in: statement.range) {
            report(at: offset, reason)
        }
        let start = statement.range.lowerBound
        counted = (start, line(of: start, from: counted))
        var batches: BatchedStatement?
        if let marker = markers.batches {
            do throws(BatchedStatement.Unsupported) {
                batches = try BatchedStatement(bytes, statement.range, marker)
            } catch {
                report(at: start, error.reason)
            }
        }
        statements.append(
            Revision.Statement(
                sql: text(statement.range), line: counted.line, isOutside: isOutside || batches != nil,
                dataLoss: markers.dataLoss, allowed: markers.allowed, batches: batches))
    }

    /// Rejects session-level `SET` and `RESET` in a section of several transactions, since settings are reset after
    /// each transaction.
    private mutating func reportLastingSettings() {
        guard statements.transactions(without: \.isOutside).count > 1 else { return }
        for (statement, start) in zip(statements, starts) {
            let words = LintedWords(statement.sql)
            guard words.begins("set|reset"), !words.begins("set local|constraints|transaction") else { continue }
            report(
                at: start,
                "a setting lasts until the end of its transaction, and this section has several: qualify names with "
                    + "their schema, or use SET LOCAL in each")
        }
    }

    /// Rejects comments that resemble a marker but have no effect because of their position or their spelling.
    private mutating func reportStrayMarkers(besides marks: [RevisionMark]) {
        let sectionMarks = Set(marks.map(\.range.lowerBound))
        for token in SQLLexer(bytes, in: range) where token.kind == .lineComment {
            let (line, start) = (text(token.range).stripped, token.range.lowerBound)
            switch Marker(resembling: line) {
            case nil: continue
            case .section where !sectionMarks.contains(start):
                report(at: start, "\"\(line)\" has no effect here: docs/migrations.md describes its syntax")
            case .statement where !used.contains(start) || !StatementMarkers.isKnown(line):
                report(
                    at: start, "\"\(line)\" has no effect here: write it as in docs/migrations.md")
            case .section, .statement: continue
            }
        }
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

/// The markers among the comments before a statement.
private struct StatementMarkers {
    private(set) var isOutside: Bool?
    private(set) var dataLoss: String?
    private(set) var allowed: [String: String] = [:]
    private(set) var batches: BatchedStatement.Marker?
    /// The error message for a malformed marker; `nil` if no marker is malformed.
    private(set) var problem: String?

    mutating func record(_ line: String) {
        if line == "-- outside transaction" { isOutside = true }
        if line == "-- inside transaction" { isOutside = false }
        if let what = text(of: line, after: "-- data loss:") { dataLoss = what }
        if let text = text(of: line, after: "-- lint: allow") {
            let words = text.split(separator: " ", maxSplits: 1).map { String($0) }
            if words.count == 2 { allowed[words[0]] = words[1] } else { problem = unfinished(line) }
        }
        if line.hasPrefix("-- batches of") {
            batches = BatchedStatement.Marker(line)
            if batches == nil { problem = "\"\(line)\": expected a line like -- batches of 5000 by id" }
        }
    }

    /// Whether a line has the form of a statement marker.
    static func isKnown(_ line: String) -> Bool {
        ["-- inside transaction", "-- outside transaction"].contains(line)
            || ["-- data loss:", "-- lint: allow", "-- batches of"].contains(where: line.hasPrefix)
    }

    private mutating func text(of line: String, after prefix: String) -> String? {
        guard line.hasPrefix(prefix) else { return nil }
        let text = String(line.dropFirst(prefix.count)).stripped
        if text.isEmpty { problem = unfinished(line) }
        return text
    }

    private func unfinished(_ line: String) -> String {
        "\"\(line)\" is incomplete: it needs a subject and a reason"
    }
}

/// The kind of marker that a comment resembles, regardless of case and spacing.
enum Marker {
    case section, statement

    /// Recognizes a comment that begins with the words of a marker; `nil` for other comments.
    init?(resembling comment: String) {
        guard comment.hasPrefix("--") else { return nil }
        let words = comment.lowercased().drop { $0 == "-" || $0.isWhitespace }.split(whereSeparator: \.isWhitespace)
        let line = words.joined(separator: " ")
        if ["inside transaction", "outside transaction"].contains(line)
            || ["data loss:", "lint: allow"].contains(where: line.hasPrefix)
            || line.firstMatch(of: /^batches of \d+/) != nil
        {
            self = .statement
        } else if ["irreversible", "breaking", "fixtures", "verify"].contains(line)
            || ["irreversible:", "breaking:"].contains(where: line.hasPrefix)
            || line.firstMatch(of: /^contract of \w+$/) != nil
        {
            self = .section
        } else {
            return nil
        }
    }
}
