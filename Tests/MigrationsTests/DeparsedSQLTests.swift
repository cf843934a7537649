import Testing

@testable import Migrations

/// What is read out of definitions as Postgres writes them.
@Suite struct DeparsedSQLTests {
    @Test func `names are renamed where they are names`() {
        #expect(
            DeparsedSQL.renaming("n", to: "Big \"n\"", in: "CHECK (n <> 'n' AND f(n, m_n, \"n\"))")
                == "CHECK (\"Big \"\"n\"\"\" <> 'n' AND f(\"Big \"\"n\"\"\", m_n, \"Big \"\"n\"\"\"))")
        #expect(
            DeparsedSQL.renaming("a\"b", to: "c", in: "\"a\"\"b\" || 'it''s \"a\"\"b\"'") == "c || 'it''s \"a\"\"b\"'")
    }

    @Test func `a foreign key is taken apart`() {
        let key = Constraint("FOREIGN KEY (a, \"B\") REFERENCES \"The other\"(x, y) ON DELETE CASCADE NOT VALID")
        #expect(key.isForeignKey && key.target == "The other")
        #expect(key.targetColumns == ["x", "y"] && key.names.isSuperset(of: ["a", "B"]) && !key.names.contains("x"))
        #expect(key.meaning.hasSuffix("ON DELETE CASCADE"))
        #expect(Constraint("CHECK (n > 0)").target == nil)
    }

    @Test func `values get from one type to another by a cast where there is one, else by way of text`() {
        #expect(SQLType.conversion(of: "n", from: "integer", to: "numeric(4,2)") == "n::numeric(4,2)")
        #expect(SQLType.conversion(of: "n", from: "text", to: "date") == "n::date")
        #expect(SQLType.conversion(of: "n", from: "boolean", to: "bigint") == "n::text::bigint")
    }

    @Test func `a type holds what fits it`() {
        #expect(SQLType("bigint").holds(SQLType("integer")) && !SQLType("integer").holds(SQLType("bigint")))
        #expect(SQLType("text").holds(SQLType("character varying(9)")))
        #expect(!SQLType("character varying(8)").holds(SQLType("character varying(9)")))
    }
}
