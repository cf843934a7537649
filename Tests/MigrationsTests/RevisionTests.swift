import Testing

@testable import Migrations

/// A revision's text.
func revisionText(
    _ id: String, _ parents: String = "", message: String = "Add it", up: String = "UP;", down: String = "DOWN;"
) -> String {
    "-- \(message)\n--\n-- Revision ID: \(id)\n-- Revises: \(parents)\n-- Create Date: 2026-11-23 00:00:00\n\n-- upgrade\n\(up)\n-- downgrade\n\(down)\n"
}

func revision(_ id: String, _ parents: String = "", up: String = "UP;", down: String = "DOWN;") throws -> Revision {
    try Revision(parsing: revisionText(id, parents, up: up, down: down), file: "\(id).sql")
}

@Suite struct RevisionTests {
    @Test func `a file has a header, an upgrade and a downgrade`() throws {
        let revision = try Revision(
            parsing: revisionText("6c369edd2a4c", "3531fa35359f, b2", up: "UP;\n\nMORE"), file: "a.sql")
        #expect(revision.id == "6c369edd2a4c" && revision.parents == ["3531fa35359f", "b2"])
        #expect(revision.message == "Add it" && revision.created == "2026-11-23 00:00:00")
        #expect(revision.upgrade.statements.map(\.sql) == ["UP", "MORE"])
        #expect(revision.upgrade.statements.map(\.line) == [8, 10])
        #expect(revision.downgrade.statements.map(\.sql) == ["DOWN"])
    }

    @Test func `an upgrade may say why it breaks programs that do not know it`() throws {
        #expect(try revision("a").upgrade.breaking == nil)
        #expect(try revision("a", up: "-- breaking: the name is gone\nUP;").upgrade.breaking == "the name is gone")
        let new = NewRevision(message: "x", id: "a", parents: [], upgrade: "UP;", breaking: "two\nlines")
        let made = try Revision(parsing: new.text, file: "a.sql")
        #expect(made.upgrade.breaking == "two lines" && made.upgrade.statements.map(\.sql) == ["UP"])
        for (up, down) in [("-- breaking:\nUP;", "DOWN;"), ("UP;", "-- breaking: x\nDOWN;")] {
            #expect(throws: MalformedRevision.self) { try revision("a", up: up, down: down) }
        }
    }

    @Test func `marks say what is special about statements`() throws {
        let up = """
            -- data loss: all of a
            DROP TABLE a;
            -- outside transaction
            -- lint: allow some-rule because it is so
            CREATE INDEX CONCURRENTLY b ON c (d);
            E;
            -- inside transaction
            F;
            """
        let revision = try revision("a", up: up, down: "-- irreversible: a is gone")
        let statements = revision.upgrade.statements
        #expect(statements.map(\.isOutside) == [false, true, true, false])
        #expect(statements.map(\.dataLoss) == ["all of a", nil, nil, nil])
        #expect(statements[1].allowed == ["some-rule": "because it is so"])
        #expect(statements.map(\.line) == [9, 12, 13, 15])
        #expect(revision.downgrade.irreversible == "a is gone" && revision.downgrade.statements.isEmpty)
    }

    @Test func `a malformed file is refused with file, line and reason`() {
        let text = revisionText("aaaa")
        let cases = [
            (text.replacing("-- downgrade\n", with: ""), "a.sql:10: the line \"-- downgrade\" is missing"),
            (text.replacing("DOWN;", with: "-- upgrade"), "a.sql:10: \"-- upgrade\" stands here a second time"),
            (
                text.replacing("-- Add it", with: "CREATE"),
                "a.sql:1: the first line must be the message: -- What it is for"
            ),
            (revisionText("a;b"), "a.sql:3: an id is 1 to 32 letters, digits and underscores, not \"a;b\""),
            (revisionText(""), "a.sql:7: Revision ID is empty"),
            (text.replacing("-- Revises: \n", with: ""), "a.sql:6: the header has no line \"-- Revises:\""),
            (
                revisionText("a", up: "-- data loss:\nDROP TABLE a;"),
                "a.sql:8: \"-- data loss:\" is not finished: it needs what it is about, and why"
            ),
            (
                revisionText("a", up: "A;\n-- lint: allow rule\nB;"),
                "a.sql:9: \"-- lint: allow rule\" is not finished: it needs what it is about, and why"
            ),
        ]
        for (text, message) in cases {
            let error = #expect(throws: MalformedRevision.self) { try Revision(parsing: text, file: "a.sql") }
            #expect(error?.description == message)
        }
    }

    @Test func `statements end at semicolons that are in nothing`() {
        let cases: [(String, [String])] = [
            ("A; B;", ["A", "B"]), ("", []), (" ; ;\n-- only words\n", []), ("A 'x;''y' ;B", ["A 'x;''y' ", "B"]),
            ("A E'\\';' ;B", ["A E'\\';' ", "B"]), ("A \"x;\"\"\" ;B", ["A \"x;\"\"\" ", "B"]),
            ("A -- x;\n;B", ["A -- x;\n", "B"]), ("A /* ; /* ; */ ; */;B", ["A /* ; /* ; */ ; */", "B"]),
            ("DO $$ a; b; $$; B", ["DO $$ a; b; $$", "B"]), ("DO $x$ a; $$ b; $x$; B", ["DO $x$ a; $$ b; $x$", "B"]),
            ("A $1; B", ["A $1", "B"]), ("A 'never ends; B", ["A 'never ends; B"]),
        ]
        for (text, statements) in cases {
            #expect(SQLScript.statements(of: text).map(\.sql) == statements, "\(text)")
        }
    }

    @Test func `a file whose lines end with CRLF is read like one with LF`() throws {
        let text = revisionText("aaaa", up: "-- a\nUP 'x';\n-- data loss: b\nMORE;")
        let (plain, windows) = try (
            Revision(parsing: text, file: "a.sql"),
            Revision(parsing: text.replacing("\n", with: "\r\n"), file: "a.sql")
        )
        #expect(windows.id == plain.id && windows.upgrade == plain.upgrade && windows.downgrade == plain.downgrade)
        #expect(plain.upgrade.statements.map(\.line) == [9, 11])
    }

    @Test func `a statement behind a comment that ends with CRLF or CR is not lost`() {
        for end in ["\r\n", "\r"] {
            let sql = "-- a\(end)DROP TABLE a"
            #expect(SQLScript.statements(of: "\(sql);").map(\.sql) == [sql])
        }
    }

    @Test(arguments: [
        ("Create Campaign table", "create_campaign_table"), ("  Add it!  ", "add_it"),
        ("Add description and is_active to the campaign table", "add_description_and_is_active_to_the"),
        ("Add description and is_active to a campaign", "add_description_and_is_active_to_a"),
        ("äöü", ""), (String(repeating: "x", count: 50), String(repeating: "x", count: 40)),
    ])
    func `a new file is named by its id and its message`(message: String, slug: String) throws {
        let new = NewRevision(message: message, id: "1a104f2ef8fa", parents: ["a"])
        #expect(new.fileName == (slug.isEmpty ? "1a104f2ef8fa.sql" : "1a104f2ef8fa_\(slug).sql"))
        let parsed = try Revision(parsing: new.text, file: new.fileName)
        #expect(parsed.id == "1a104f2ef8fa" && parsed.parents == ["a"] && parsed.upgrade.statements.isEmpty)
        #expect(NewRevision(message: message, parents: []).id.wholeMatch(of: /[0-9a-f]{12}/) != nil)
    }
}
