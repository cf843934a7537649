import Testing

@testable import Migrations

@Suite struct SectionTests {
    private func sections(_ behind: String) throws -> Revision {
        try revision("a", down: "DOWN;\n\(behind)")
    }

    @Test func `fixtures and a verification may follow, in any order`() throws {
        for behind in [
            "-- verify\nSELECT true;\n-- fixtures\nINSERT;", "-- fixtures\nINSERT;\n-- verify\nSELECT true;",
        ] {
            let revision = try sections(behind)
            #expect(revision.downgrade.statements.map(\.sql) == ["DOWN"])
            #expect(revision.verification.statements.map(\.sql) == ["SELECT true"])
            #expect(revision.fixtures.statements.map(\.sql) == ["INSERT"])
            #expect(revision.problem == nil)
        }
        #expect(try revision("a").verification.statements.isEmpty)
    }

    @Test func `what tries a revision is no part of its checksum`() throws {
        let plain = try revision("a", down: "DOWN;\nSELECT '\n-- verify\n';")
        #expect(plain.textThatRuns == plain.text && plain.verification.statements.isEmpty)
        #expect(try sections("\n-- verify\nSELECT 1;").textThatRuns == revision("a", down: "DOWN;").text)
        #expect(try sections("-- fixtures\nA;\n-- verify\nB;").textThatRuns == sections("-- verify\nC;").textThatRuns)
    }

    @Test(arguments: [
        ("-- verify\nA;\n-- verify\nB;", "\"-- verify\" stands here a second time"),
        ("-- verify\n-- outside transaction\nVACUUM;", "all of \"-- verify\" runs in one transaction"),
        ("-- verify\nCOMMIT;", "COMMIT does not belong here"),
        ("-- contract of a1", "-- contract of belongs into the upgrade"),
    ]) func `what is malformed in them is told`(behind: String, reason: String) throws {
        #expect(try sections(behind).problem?.description.contains(reason) == true)
    }

    @Test func `an upgrade may be the contract of an earlier revision`() throws {
        #expect(try revision("a").upgrade.contracted == nil)
        #expect(try revision("a", up: "-- contract of b2\nUP;").upgrade.contracted == "b2")
    }
}

@Suite struct ProgramNameTests {
    private func graph() throws -> RevisionGraph {
        try RevisionGraph([revision("a1"), revision("b2", "a1"), revision("c3", "b2"), revision("d4", "b2")])
    }

    @Test func `a program says its version and the newest revisions that it knows`() throws {
        let name = ProgramName(version: "1.4.0", heads: ["d4", "c3"])
        #expect(name.text == "aktify 1.4.0 (c3 d4)")
        #expect(ProgramName(parsing: name.text) == name)
    }

    @Test func `it knows what comes before them, and nothing else`() throws {
        let graph = try graph()
        let name = ProgramName(parsing: "aktify 1.4.0 (c3)")
        #expect(name.knows("a1", in: graph) && name.knows("c3", in: graph) && !name.knows("d4", in: graph))
        for text in ["aktify", "aktify 1.0.0 ()", "aktify 1.0.0 (x9)", ""] {
            #expect(!ProgramName(parsing: text).knows("a1", in: graph))
        }
    }

    @Test func `Postgres does not cut it`() throws {
        let heads = Set((1...9).map { "abcdef00000\($0)" })
        let name = ProgramName(version: "1.4.0", heads: heads)
        #expect(name.text.utf8.count <= 63 && ProgramName(parsing: name.text).heads.isSubset(of: heads))
        #expect(name.heads.count == 3)
    }
}
