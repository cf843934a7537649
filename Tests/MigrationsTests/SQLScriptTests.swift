import Glibc
import Testing

@testable import Migrations

@Suite struct SQLScriptTests {
    private func statements(_ text: String) -> [String] { SQLScript.statements(of: text).map(\.sql) }

    @Test(arguments: [
        ("A; B;", ["A", "B"]), ("", []), (" ; ;\n-- only words\n", []), ("A 'x;''y' ;B", ["A 'x;''y'", "B"]),
        ("A \"x;\"\"\" ;B", ["A \"x;\"\"\"", "B"]), ("A -- x;\n;B", ["A", "B"]),
        ("A /* ; /* ; */ ; */;B", ["A", "B"]), ("/* ; */ A /* ; */ B", ["/* ; */ A /* ; */ B"]), ("/* a */;B", ["B"]),
        ("DO $$ a; b; $$; B", ["DO $$ a; b; $$", "B"]), ("DO $x$ a; $$ b; $x$; B", ["DO $x$ a; $$ b; $x$", "B"]),
        ("DO $ž$ a; $ž$; B", ["DO $ž$ a; $ž$", "B"]), ("A $1; B$2;", ["A $1", "B$2"]),
        ("A a$b$; B $b$;$b$", ["A a$b$", "B $b$;$b$"]), ("A 1$$;$$; B 1a$b$; C", ["A 1$$;$$", "B 1a$b$", "C"]),
        ("A 'never ends; B", ["A 'never ends; B"]), ("A /* never ends; B", ["A /* never ends; B"]),
        ("A $x$ never ends; $$", ["A $x$ never ends; $$"]),
    ])
    func `statements end at semicolons outside of strings and comments`(text: String, expected: [String]) {
        #expect(statements(text) == expected)
    }

    @Test(arguments: [
        ("A E'\\';' ;B", ["A E'\\';'", "B"]), ("A e'a''\\';';B", ["A e'a''\\';'", "B"]),
        ("A '\\';B", ["A '\\'", "B"]), ("A name'\\';B", ["A name'\\'", "B"]),
        ("A U&'\\0061;' ;B", ["A U&'\\0061;'", "B"]),
        ("A U&\"\\0061;\" ;B", ["A U&\"\\0061;\"", "B"]), ("A u & 'x;';B", ["A u & 'x;'", "B"]),
        ("A E'a' -- x'\n'\\';';B", ["A E'a' -- x'\n'\\';'", "B"]), ("A E'a' '\\';B", ["A E'a' '\\'", "B"]),
        ("A B'1;', x'f;', N'\\';B", ["A B'1;', x'f;', N'\\'", "B"]),
    ])
    func `a backslash is an escape in E strings only, including their continuation on another line`(
        text: String, expected: [String]
    ) {
        #expect(statements(text) == expected)
    }

    @Test(arguments: [
        "CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT a; END",
        "create or replace procedure f() begin atomic insert into t values (1); end",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN CASE 2 WHEN 2 THEN 3 END END; SELECT 1; END",
        "CREATE RULE r AS ON DELETE TO t DO (INSERT INTO a VALUES (1); INSERT INTO b VALUES (2))",
        "CREATE /* x; */ FUNCTION \"begin\"() BEGIN -- x\n ATOMIC SELECT 1; END",
        "CREATE FUNCTION f() RETURNS int RETURN CASE 1 WHEN 1 THEN 2 END",
    ])
    func `a semicolon in a body does not end the statement`(sql: String) {
        #expect(statements("\(sql);\nB; \(sql)") == [sql, "B", sql])
    }

    @Test func `keywords outside function bodies do not extend a statement`() {
        #expect(
            statements("CREATE TABLE begin (a int); BEGIN; A; END; B") == [
                "CREATE TABLE begin (a int)", "BEGIN", "A", "END", "B",
            ])
        #expect(statements("A ); B") == ["A )", "B"])
    }

    @Test func `a statement after a comment that ends with CRLF or CR is not lost`() {
        for end in ["\r\n", "\r"] { #expect(statements("-- a\(end)DROP TABLE a;") == ["DROP TABLE a"]) }
    }

    @Test(arguments: [
        "INSERT INTO t VALUES (1, 'a', $1, E'\\n'); -- x\n", "-- x\n", "$a", "$", "'a' ", "E'a'\n", "/* x */", "(", ";",
        "a$",
        "CREATE FUNCTION f() BEGIN ATOMIC CASE ", "U&", "$a$ $b$ ",
    ])
    func `splitting does not take quadratic time`(piece: String) throws {
        // The CPU time of this thread, which other processes do not affect.
        func now() -> Duration {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }
        func time(_ bytes: Int) -> Duration {
            let text = String(repeating: piece, count: bytes / piece.utf8.count)
            return (0..<3).map { _ in
                let start = now()
                _ = SQLScript.statements(of: text)
                return now() - start
            }.min() ?? .zero
        }
        _ = time(16 << 10)
        // In quadratic time, four times the length would take sixteen times as long.
        #expect(time(256 << 10) < time(64 << 10) * 10 + .milliseconds(20))
    }
}
