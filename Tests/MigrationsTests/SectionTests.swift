import Testing

@testable import Migrations

@Suite struct SectionTests {
    private func sections(_ behind: String) throws -> Revision {
        try revision("a", down: "DOWN;\n\(behind)")
    }

    @Test func `fixtures and a verification may follow in any order`() throws {
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

    @Test func `verify and fixtures sections are not part of the checksum`() throws {
        let plain = try revision("a", down: "DOWN;\nSELECT '\n-- verify\n';")
        #expect(plain.checksumText == plain.text && plain.verification.statements.isEmpty)
        #expect(try sections("\n-- verify\nSELECT 1;").checksumText == revision("a", down: "DOWN;").text)
        #expect(try sections("-- fixtures\nA;\n-- verify\nB;").checksumText == sections("-- verify\nC;").checksumText)
    }

    @Test(arguments: [
        ("-- verify\nA;\n-- verify\nB;", "duplicate section \"-- verify\""),
        ("-- verify\n-- outside transaction\nVACUUM;", "\"-- verify\" runs in a single transaction"),
        ("-- verify\nCOMMIT;", "COMMIT is not allowed"),
        ("-- contract of a1", "-- contract of belongs in the upgrade section"),
    ]) func `errors in these sections are reported`(behind: String, reason: String) throws {
        #expect(try sections(behind).problem?.description.contains(reason) == true)
    }

    @Test(arguments: [
        "-- Irreversible: x", "--irreversible: x", "  -- irreversible: x", "-- irreversible", "-- Verify",
        "-- BREAKING: x",
        "-- Batches of 10 by id", "--outside transaction", "-- data  loss: x", "DOWN -- outside transaction\n;",
        "-- lint: allow x y",
        "-- Contract of 8c1f0b7d4e2a", "-- batches of 10 by id",
    ]) func `a comment that resembles a marker but has no effect is an error`(line: String) throws {
        #expect(try revision("a", down: "\(line)").problem?.description.contains("has no effect here") == true)
    }

    @Test(arguments: [
        "-- irreversible changes come later", "-- we verify", "-- in batches of 10", "-- the contract of last year",
        "SELECT '\n-- Verify\n';",
    ])
    func `an ordinary comment is no error`(line: String) throws {
        #expect(try revision("a", down: "\(line)\nDOWN;").problem == nil)
    }

    @Test(arguments: [
        "SET search_path = app;\n-- outside transaction\nVACUUM;",
        "-- batches of 5 by id\nDELETE FROM one;\n-- so\nset role x;",
        "-- outside transaction\nSET statement_timeout = 1;\nVACUUM;", "RESET ALL;\n-- outside transaction\nVACUUM;",
    ]) func `a setting that would have to last beyond its transaction is rejected`(up: String) throws {
        #expect(
            try revision("a", up: up).problem?.description.contains("a setting lasts until the end of its transaction")
                == true)
    }

    @Test func `a setting for a single transaction is accepted`() throws {
        #expect(try revision("a", up: "SET search_path = app; UP;").problem == nil)
        #expect(
            try revision("a", up: "SET LOCAL search_path = app; UP;\n-- outside transaction\nVACUUM;").problem == nil)
    }

    @Test(arguments: ["base", "head", "heads", "current"]) func `a symbolic name cannot be an id`(id: String) {
        #expect(throws: MalformedRevision.self) { try revision(id) }
    }

    @Test func `an upgrade may be the contract of an earlier revision`() throws {
        #expect(try revision("a").upgrade.contracted == nil)
        #expect(try revision("a", up: "-- contract of b2\nUP;").upgrade.contracted == "b2")
        let problem = try revision("a", up: "-- contract of b2\n-- contract of c3\nUP;").upgrade.problem
        #expect(problem?.description == "a.sql:9: an upgrade can be the contract of one revision only")
    }
}

@Suite struct ProgramNameTests {
    private func graph() throws -> RevisionGraph {
        try RevisionGraph([revision("a1"), revision("b2", "a1"), revision("c3", "b2"), revision("d4", "b2")])
    }

    @Test func `a program's name contains its version and head revisions`() throws {
        let name = ProgramName(version: "1.4.0", heads: ["d4", "c3"])
        #expect(name.text == "aktify 1.4.0 (c3 d4)")
        #expect(ProgramName(parsing: name.text) == name)
        #expect(ProgramName(parsing: name.text + " - 10.0.0.3:5432").heads == name.heads)
    }

    @Test func `a program knows its head revisions and their ancestors only`() throws {
        let graph = try graph()
        let name = ProgramName(parsing: "aktify 1.4.0 (c3)")
        #expect(name.knows("a1", in: graph) && name.knows("c3", in: graph) && !name.knows("d4", in: graph))
        for text in ["aktify", "aktify 1.0.0 ()", "aktify 1.0.0 (x9)", ""] {
            #expect(!ProgramName(parsing: text).knows("a1", in: graph))
        }
    }

    @Test func `a program's name is not truncated by Postgres`() throws {
        let heads = Set((1...9).map { "abcdef00000\($0)" })
        let name = ProgramName(version: "1.4.0", heads: heads)
        #expect(name.text.utf8.count <= 63 && ProgramName(parsing: name.text).heads.isSubset(of: heads))
        #expect(name.heads.count == 3)
    }
}
