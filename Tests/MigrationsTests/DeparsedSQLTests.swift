import Testing

@testable import Migrations

/// Parsing of definitions as Postgres deparses them.
@Suite struct DeparsedSQLTests {
    @Test func `names are renamed, but not text in strings`() {
        #expect(
            DeparsedSQL.renaming("n", to: "Big \"n\"", in: "CHECK (n <> 'n' AND f(n, m_n, \"n\"))")
                == "CHECK (\"Big \"\"n\"\"\" <> 'n' AND f(\"Big \"\"n\"\"\", m_n, \"Big \"\"n\"\"\"))")
        #expect(
            DeparsedSQL.renaming("a\"b", to: "c", in: "\"a\"\"b\" || 'it''s \"a\"\"b\"'") == "c || 'it''s \"a\"\"b\"'")
    }

    @Test func `a foreign key's definition is parsed`() {
        let key = Constraint("FOREIGN KEY (a, \"B\") REFERENCES \"The other\"(x, y) ON DELETE CASCADE NOT VALID")
        #expect(key.isForeignKey && key.target == "The other")
        #expect(key.targetColumns == ["x", "y"] && key.names.isSuperset(of: ["a", "B"]) && !key.names.contains("x"))
        #expect(key.meaning.hasSuffix("ON DELETE CASCADE"))
        #expect(Constraint("CHECK (n > 0)").target == nil)
    }

    @Test func `values are converted by a cast if there is one, otherwise by way of text`() {
        #expect(SQLType.conversion(of: "n", from: "integer", to: "numeric(4,2)") == "n::numeric(4,2)")
        #expect(SQLType.conversion(of: "n", from: "text", to: "date") == "n::date")
        #expect(SQLType.conversion(of: "n", from: "boolean", to: "bigint") == "n::text::bigint")
    }

    @Test func `a wider type can hold a narrower one's values`() {
        #expect(SQLType("bigint").holds(SQLType("integer")) && !SQLType("integer").holds(SQLType("bigint")))
        #expect(SQLType("text").holds(SQLType("character varying(9)")))
        #expect(!SQLType("character varying(8)").holds(SQLType("character varying(9)")))
    }
}
