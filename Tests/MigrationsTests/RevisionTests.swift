import Testing

@testable import Migrations

/// The contents of a revision file.
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
            #expect(try problem(revisionText("a", up: up, down: down))?.contains(" -- breaking: ") == true)
        }
    }

    @Test func `markers set properties of statements`() throws {
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

    @Test func `a malformed header is rejected with file, line and reason`() {
        let text = revisionText("aaaa")
        let cases = [
            (text.replacing("-- upgrade\n", with: ""), "a.sql:10: the line \"-- upgrade\" is missing"),
            (
                text.replacing("-- upgrade", with: "-- downgrade\n-- upgrade"),
                "a.sql:7: -- downgrade must come after -- upgrade"
            ),
            (
                text.replacing("-- Add it", with: "CREATE"),
                "a.sql:1: the first line must be the message: -- What the revision does"
            ),
            (revisionText("a;b"), "a.sql:3: an id consists of 1 to 32 letters, digits and underscores, not \"a;b\""),
            (revisionText(""), "a.sql:7: Revision ID is empty"),
            (
                text.replacing("-- upgrade", with: "-- breaking: x\n-- upgrade"),
                "a.sql:7: \"-- breaking: x\" has no effect here: write it below -- upgrade"
            ),
            (
                text.replacing("-- upgrade", with: "-- contract of 8c1f0b7d4e2a\n-- upgrade"),
                "a.sql:7: \"-- contract of 8c1f0b7d4e2a\" has no effect here: write it below -- upgrade"
            ),
            (
                text.replacing("-- upgrade", with: "-- contract of b2\n-- upgrade"),
                "a.sql:7: \"-- contract of b2\" has no effect here: write it below -- upgrade"
            ),
            (
                text.replacing("-- upgrade", with: "--outside transaction\n-- upgrade"),
                "a.sql:7: \"--outside transaction\" has no effect here: write it below -- upgrade"
            ),
            (text.replacing("-- Revises: \n", with: ""), "a.sql:6: the header has no line \"-- Revises:\""),
        ]
        for (text, message) in cases {
            let error = #expect(throws: MalformedRevision.self) { try Revision(parsing: text, file: "a.sql") }
            #expect(error?.description == message)
        }
    }

    @Test func `a malformed section is reported with file, line and reason`() throws {
        let cases = [
            (
                revisionText("a", up: "-- data loss:\nDROP TABLE a;"),
                "a.sql:8: \"-- data loss:\" is incomplete: it needs a subject and a reason"
            ),
            (
                revisionText("a", up: "A;\n-- lint: allow rule\nB;"),
                "a.sql:9: \"-- lint: allow rule\" is incomplete: it needs a subject and a reason"
            ),
            (revisionText("a", down: "-- upgrade"), "a.sql:10: duplicate section \"-- upgrade\""),
            (revisionText("a", down: "A;\n-- downgrade"), "a.sql:11: duplicate section \"-- downgrade\""),
            (
                revisionText("a").replacing("-- downgrade\n", with: ""),
                "a.sql:10: the line \"-- downgrade\" is missing"
            ),
            (revisionText("a", up: "A;\nB 'c;\n"), "a.sql:9: unterminated string, identifier or comment"),
            (revisionText("a", down: "A;\nDO $$ $;\n"), "a.sql:11: unterminated string, identifier or comment"),
            (revisionText("a", up: "A;\nB\0;"), "a.sql:9: Postgres does not accept NUL bytes"),
        ]
        for (text, message) in cases { #expect(try problem(text) == message) }
    }

    /// The first problem of a text with a valid header.
    private func problem(_ text: String) throws -> String? {
        let revision = try Revision(parsing: text, file: "a.sql")
        return (revision.upgrade.problem ?? revision.downgrade.problem)?.description
    }

    @Test func `malformed sections are not executed, but the graph includes their revisions`() throws {
        let graph = try RevisionGraph([
            try revision("a1"), try revision("b2", "a1", up: "COMMIT;"), try revision("c3", "b2", down: "COMMIT;"),
        ])
        #expect(graph.heads.map(\.id) == ["c3"])
        #expect(try graph.upgradePlan(to: "a1", from: []).count == 1)
        for (body, file) in [
            ({ try graph.upgradePlan(to: "head", from: []) }, "b2.sql:8: COMMIT"),
            ({ try graph.upgradePlan(to: "head", from: ["b2"]) }, "c3.sql:10: COMMIT"),
            ({ try graph.downgradePlan(to: "-1", from: ["c3"]) }, "c3.sql:10: COMMIT"),
        ] as [(() throws -> [Revision], String)] {
            let error = #expect(throws: RevisionGraph.GraphError.self) { try body() }
            #expect(error?.description.hasPrefix(file) == true)
        }
        // An applied revision with a malformed upgrade can be reverted.
        #expect(try graph.downgradePlan(to: "-1", from: ["b2"]).map(\.id) == ["b2"])
    }

    @Test(arguments: [
        "BEGIN", "begin work", "START TRANSACTION", "COMMIT", "/* x */ COMMIT", "-- x\nCOMMIT /* x */ AND CHAIN",
        "/*\n*/ END",
        "ROLLBACK", "ABORT", "PREPARE /**/ TRANSACTION 'x'", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'",
    ])
    func `a statement that begins or ends a transaction is rejected`(sql: String) throws {
        let reason = try #require(try problem(revisionText("a", up: "A;\n\(sql);")))
        #expect(reason.hasPrefix("a.sql:\(sql.contains("\n") ? 10 : 9): "))
        #expect(reason.contains(" is not allowed") && reason.contains("-- outside transaction"))
        #expect(try problem(revisionText("a", down: "-- outside transaction\n\(sql);")) != nil)
    }

    @Test(arguments: [
        "ROLLBACK TO SAVEPOINT a", "ROLLBACK WORK TO a", "SAVEPOINT a", "RELEASE a", "com/**/mit",
        "PREPARE a AS SELECT 1",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END", "DO $$ BEGIN COMMIT; END $$",
        "-- COMMIT;\nSELECT 1",
        "SELECT 'COMMIT'", "\"COMMIT\"", "ALTER TABLE t ADD \"end\" int",
    ])
    func `a statement that only resembles transaction control is accepted`(sql: String) throws {
        #expect(try problem(revisionText("a", up: "\(sql);")) == nil)
    }

    @Test func `a marker in a string or in another comment is text`() throws {
        let up = """
            INSERT INTO a VALUES ('
            -- downgrade
            ');
            DO $x$
            -- upgrade
            -- breaking: x
            $x$;
            /*
            -- downgrade
            -- irreversible: x
            */
            """
        let revision = try revision("a", up: up)
        #expect(revision.upgrade.statements.map(\.line) == [8, 11] && revision.upgrade.breaking == nil)
        #expect(revision.downgrade.statements.map(\.sql) == ["DOWN"])
        #expect(revision.upgrade.problem == nil && revision.downgrade.problem == nil)
    }

    @Test func `a comment after a statement is no marker`() throws {
        let statements = try revision("a", up: "A; -- data loss: x\nB;").upgrade.statements
        #expect(statements.map(\.dataLoss) == [nil, nil] && statements.map(\.line) == [8, 9])
    }

    @Test func `line endings, a byte-order mark and trailing blanks do not matter`() throws {
        let text = revisionText(
            "aaaa", up: "-- a\nUP 'x';\n-- data loss: b\nMORE;\n-- breaking: c", down: "-- outside transaction\nD;")
        let plain = try Revision(parsing: text, file: "a.sql")
        #expect(plain.text == text && plain.upgrade.statements.map(\.line) == [9, 11])
        #expect(plain.downgrade.statements.map(\.isOutside) == [true])
        for end in ["\r\n", "\r"] {
            #expect(try Revision(parsing: "\u{feff}" + text.replacing("\n", with: end), file: "a.sql") == plain)
        }
        let blanks = try Revision(parsing: text.replacing("\n", with: " \t\r\n"), file: "a.sql")
        #expect(blanks.upgrade == plain.upgrade && blanks.downgrade == plain.downgrade && blanks.id == plain.id)
        #expect(blanks.message == plain.message && blanks.parents == plain.parents && blanks.created == plain.created)
    }

    @Test(arguments: [
        ("Create Campaign table", "create_campaign_table"), ("  Add it!  ", "add_it"),
        ("Add description and is_active to the campaign table", "add_description_and_is_active_to_the"),
        ("Add description and is_active to a campaign", "add_description_and_is_active_to_a"),
        ("Přidat sloupec", "pridat_sloupec"), ("Gro\u{308}ße, Øre & Łódź", "grosse_ore_lodz"),
        ("Sütunları æ", "sutunlari_ae"),
        ("добавить столбец", ""), ("日本 2", "2"), (String(repeating: "x", count: 50), String(repeating: "x", count: 40)),
    ])
    func `a new file is named after its id and message`(message: String, slug: String) throws {
        let new = NewRevision(message: message, id: "1a104f2ef8fa", parents: ["a"])
        #expect(new.fileName == (slug.isEmpty ? "1a104f2ef8fa.sql" : "1a104f2ef8fa_\(slug).sql"))
        let parsed = try Revision(parsing: new.text, file: new.fileName)
        #expect(parsed.id == "1a104f2ef8fa" && parsed.parents == ["a"] && parsed.upgrade.statements.isEmpty)
        #expect(NewRevision(message: message, parents: []).id.wholeMatch(of: /[0-9a-f]{12}/) != nil)
    }

    @Test(arguments: [
        "upgrade", "downgrade", "Revises: x", "Revision ID: x", "irreversible: y", "breaking: z", "data loss:",
        "lint: allow rule", "outside transaction", "-- upgrade", "a\r\n-- downgrade\u{2028}b", "/* '", " $$ ",
    ])
    func `a message may contain any text`(message: String) throws {
        let new = NewRevision(message: message, id: "a1", parents: ["b2"], upgrade: "UP;", downgrade: "DOWN;")
        let revision = try Revision(parsing: new.text, file: "a.sql")
        #expect(revision.message == new.message && revision.id == "a1" && revision.parents == ["b2"])
        #expect(revision.upgrade.problem == nil && revision.downgrade.problem == nil)
        #expect(revision.upgrade.breaking == nil && revision.downgrade.irreversible == nil)
        #expect((revision.upgrade.statements + revision.downgrade.statements).map(\.isOutside) == [false, false])
    }
}
