import Testing

@testable import Migrations

@Suite struct SQLTypeTests {
    @Test(arguments: [
        ("bigint", "integer", true), ("integer", "bigint", false), ("numeric", "bigint", true),
        ("numeric(10,2)", "numeric(10,2)", true), ("numeric(12,2)", "numeric(10,2)", true),
        ("numeric(12,4)", "numeric(10,2)", true), ("numeric(10,4)", "numeric(10,2)", false),
        ("numeric(10,1)", "numeric(10,2)", false), ("numeric", "numeric(10,2)", true),
        ("numeric(10,2)", "numeric", false),
        ("text", "character varying(9)", true), ("character varying", "text", true),
        ("character varying(9)", "text", false), ("character varying(9)", "character varying(8)", true),
        ("character varying(8)", "character varying(9)", false), ("double precision", "real", true),
        ("real", "double precision", false), ("numeric", "real", false), ("date", "timestamp with time zone", false),
        ("timestamp(6) without time zone", "timestamp(3) without time zone", true),
        ("timestamp(3) without time zone", "timestamp(6) without time zone", false),
        ("timestamp without time zone", "timestamp(3) without time zone", true), ("uuid", "text", false),
        ("numeric(10,2)[]", "numeric(10,4)[]", false), ("numeric(12,4)[]", "numeric(10,2)[]", true),
        ("mood", "mood", true), ("integer[]", "bigint[]", false),
    ]) func `a type can or cannot hold all values of another type`(type: String, other: String, holds: Bool) {
        #expect(SQLType(type).holds(SQLType(other)) == holds)
    }
}
