@testable import Migrations

extension FuzzTarget {
    /// Statements lie one behind the other in the text; a revision's statements are on the lines that it says.
    static let script = FuzzTarget(name: "script") { input in
        let text = String(decoding: input, as: UTF8.self)
        let bytes = Array(text.utf8)
        var end = 0
        for (sql, offset) in SQLScript.statements(of: text) {
            let count = sql.utf8.count
            try require(offset >= end && offset + count <= bytes.count, "a statement out of its place")
            try require(bytes[offset..<offset + count].elementsEqual(sql.utf8), "a statement was changed")
            end = offset + count
        }
    }

    /// A file is a revision, or is malformed on one of its lines, as a section of it may be; the header of one has ids.
    static let revision = FuzzTarget(name: "revision") { input in
        let text = String(decoding: input, as: UTF8.self)
        let lines = text.unicodeScalars.count { $0 == "\n" || $0 == "\r" } + 1
        do {
            let revision = try Revision(parsing: text, file: "file")
            try require(!revision.id.isEmpty && !revision.message.isEmpty, "a revision without id or message")
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
