@testable import Migrations

extension FuzzTarget {
    /// Each parsed statement occurs in the script at its reported offset, and statements do not overlap.
    static let script = FuzzTarget(name: "script") { input in
        let text = String(decoding: input, as: UTF8.self)
        let bytes = Array(text.utf8)
        var end = 0
        for (sql, offset) in SQLScript.statements(of: text) {
            let count = sql.utf8.count
            try require(offset >= end && offset + count <= bytes.count, "a statement is at the wrong offset")
            try require(bytes[offset..<offset + count].elementsEqual(sql.utf8), "a statement differs from the text")
            end = offset + count
        }
    }

    /// A file is either rejected as malformed or parsed as a revision with an id and a message. Every reported line
    /// number, including that of a malformed section, exists in the file.
    static let revision = FuzzTarget(name: "revision") { input in
        let text = String(decoding: input, as: UTF8.self)
        let lines = text.unicodeScalars.count { $0 == "\n" || $0 == "\r" } + 1
        do {
            let revision = try Revision(parsing: text, file: "file")
            try require(!revision.id.isEmpty && !revision.message.isEmpty, "the revision has no id or no message")
            for statement in revision.upgrade.statements + revision.downgrade.statements {
                try require((1...lines).contains(statement.line), "a statement on line \(statement.line) of \(lines)")
            }
            for problem in [revision.upgrade.problem, revision.downgrade.problem].compactMap({ $0 }) {
                try require((1...lines).contains(problem.line), "\(problem.reason) on line \(problem.line) of \(lines)")
            }
            _ = Lint.findings(in: revision)
        } catch let error as MalformedRevision {
            try require((1...lines).contains(error.line), "\(error.reason) on line \(error.line) of \(lines)")
        }
    }
}
