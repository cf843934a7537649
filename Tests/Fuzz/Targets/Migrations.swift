@testable import Migrations

extension FuzzTarget {
    /// Statements lie one behind the other in the text; a revision's statements are on the lines that it says.
    static let script = FuzzTarget(name: "script") { input in
        let text = String(decoding: input, as: UTF8.self)
        let characters = Array(text.unicodeScalars)
        var end = 0
        for (sql, offset) in SQLScript.statements(of: text) {
            let scalars = sql.unicodeScalars
            try require(offset >= end && offset + scalars.count <= characters.count, "a statement out of its place")
            try require(characters[offset..<offset + scalars.count].elementsEqual(scalars), "a statement was changed")
            end = offset + scalars.count
        }
    }

    /// A file is a revision, or is malformed on one of its lines; the header of one has ids.
    static let revision = FuzzTarget(name: "revision") { input in
        let text = String(decoding: input, as: UTF8.self)
        let lines = text.unicodeScalars.count { $0 == "\n" || $0 == "\r" } + 1
        do {
            let revision = try Revision(parsing: text, file: "file")
            try require(!revision.id.isEmpty && !revision.message.isEmpty, "a revision without id or message")
            for statement in revision.upgrade.statements + revision.downgrade.statements {
                try require((1...lines).contains(statement.line), "a statement on line \(statement.line) of \(lines)")
            }
        } catch let error as MalformedRevision {
            try require((1...lines).contains(error.line), "\(error.reason) on line \(error.line) of \(lines)")
        }
    }
}
