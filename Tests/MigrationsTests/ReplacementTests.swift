import Testing

@testable import Migrations

/// The header of a baseline: the revisions that were squashed into it.
@Suite struct ReplacementTests {
    private func revision(_ id: String, _ parents: String, replaces: String = "") throws -> Revision {
        let text = "-- x\n-- Revision ID: \(id)\n-- Revises: \(parents)\n\(replaces)-- upgrade\n-- downgrade\n"
        return try Revision(parsing: text, file: "versions/\(id).sql")
    }

    @Test func `a header that was written can be parsed`() throws {
        let replacement = Replacement(
            ids: ["a1", "b_2"], checksum: "0f", breaking: ["a1": "for: two reasons", "b_2": "b"])
        #expect(try revision("c3", "", replaces: replacement.header).replacement == replacement)
        #expect(try revision("c3", "").replacement == Replacement() && Replacement().header.isEmpty)
    }

    @Test func `a malformed id is an error`() throws {
        let error = #expect(throws: MalformedRevision.self) { try revision("c3", "", replaces: "-- Replaces: a-1\n") }
        #expect(error?.line == 4)
    }

    @Test func `a squashed revision is known but has no file`() throws {
        let graph = try RevisionGraph([
            try revision("c3", "", replaces: "-- Replaces: a1, b2\n"), try revision("d4", "c3"),
        ])
        #expect(graph.knownIDs == ["a1", "b2", "c3", "d4"] && graph.heads.map(\.id) == ["d4"])
        #expect(throws: RevisionGraph.GraphError(description: "a1 was squashed into c3")) { try graph.resolve("a") }
        let error = #expect(throws: RevisionGraph.GraphError.self) { try graph.closure(of: ["b2"]) }
        #expect(error?.description.hasPrefix("the database is at b2, which was squashed into c3: ") == true)
    }

    @Test func `a remaining file of a squashed revision is an error`() throws {
        let revisions = [try revision("a1", ""), try revision("c3", "", replaces: "-- Replaces: a1\n")]
        #expect(
            throws: RevisionGraph.GraphError(
                description: "versions/a1.sql was squashed into versions/c3.sql: delete it")
        ) {
            try RevisionGraph(revisions)
        }
    }
}
