import Testing

@testable import Migrations

@Suite struct RevisionTests {
    private func text(id: String = "aaaa", down: String = "", message: String = "-- Add it") -> String {
        "\(message)\n--\n-- Revision ID: \(id)\n-- Revises: \(down)\n-- Create Date: 2026-11-23\n\n-- upgrade\nUP;\n\n-- downgrade\nDOWN;\n"
    }

    private func revision(_ id: String, _ down: String = "") throws -> Revision {
        try Revision(parsing: text(id: id, down: down), file: "\(id).sql")
    }

    @Test func `a file has a header, an upgrade and a downgrade`() throws {
        let revision = try Revision(parsing: text(id: "6c369edd2a4c", down: "3531fa35359f"), file: "a.sql")
        #expect(revision.id == "6c369edd2a4c")
        #expect(revision.down == "3531fa35359f")
        #expect(revision.message == "Add it")
        #expect(revision.upgrade.sql == "UP;\n")
        #expect(revision.upgrade.line == 8)
        #expect(revision.downgrade.sql == "DOWN;\n")
    }

    @Test func `a malformed file is refused with file, line and reason`() {
        let cases = [
            (text().replacing("-- downgrade\n", with: ""), "a.sql:11: the line \"-- downgrade\" is missing"),
            (text().replacing("DOWN;", with: "-- upgrade"), "a.sql:11: \"-- upgrade\" stands here a second time"),
            (text(message: "CREATE"), "a.sql:1: the first line must be the message: -- What it is for"),
            (text(id: "a;b"), "a.sql:3: an id is 1 to 32 letters, digits and underscores, not \"a;b\""),
            (text(id: ""), "a.sql:7: Revision ID is empty"),
            (text().replacing("-- Revises: \n", with: ""), "a.sql:6: the header has no line \"-- Revises:\""),
        ]
        for (text, message) in cases {
            let error = #expect(throws: MalformedRevision.self) { try Revision(parsing: text, file: "a.sql") }
            #expect(error?.description == message)
        }
    }

    @Test func `revisions stand in the order in which they build on each other`() throws {
        let graph = try RevisionGraph([try revision("c", "b"), try revision("a"), try revision("b", "a")])
        #expect(graph.revisions.map(\.id) == ["a", "b", "c"])
        #expect(try graph.pending(after: nil).map(\.id) == ["a", "b", "c"])
        #expect(try graph.pending(after: "b").map(\.id) == ["c"])
        #expect(try graph.pending(after: "c").isEmpty)
    }

    @Test func `two revisions of one, a lost one and a circle are refused`() throws {
        let (a, b, c) = (try revision("a"), try revision("b", "a"), try revision("c", "a"))
        #expect(throws: RevisionGraph.Broken.self) { try RevisionGraph([a, b, c]) }
        let lost = try revision("x", "y")
        #expect(throws: RevisionGraph.Broken(description: "x.sql revises y, which no other revision leads to")) {
            try RevisionGraph([a, lost])
        }
        let circle = [try revision("p", "q"), try revision("q", "p")]
        #expect(throws: RevisionGraph.Broken.self) { try RevisionGraph(circle) }
    }

    @Test func `a database at a revision without a file is refused`() throws {
        let graph = try RevisionGraph([try revision("a")])
        #expect(throws: RevisionGraph.Broken.self) { try graph.pending(after: "zzz") }
    }
}
