import Postgres
import SQL
import Testing

@Suite struct StatementTests {
    private let columns: ColumnList = ["id", "name"]

    @Test func `a value becomes a parameter, and never text`() {
        let name = "'; DROP TABLE campaign; --"
        let statement: Statement = "SELECT \(columns) FROM campaign WHERE name = \(name) AND id > \(Int64(7))"
        #expect(statement.text == "SELECT id, name FROM campaign WHERE name = $1 AND id > $2")
        #expect(statement.bindings.parameters.map(\.type) == [25, 20])
        #expect(statement.bindings.buffer == Array(name.utf8) + [0, 0, 0, 0, 0, 0, 0, 7])
    }

    @Test func `the text is the same for all values`() {
        func statement(_ id: Int64) -> Statement { "SELECT 1 WHERE \(id) = 1" }
        #expect(statement(1).text == statement(.max).text)
    }

    @Test func `nil is NULL, and an empty string is not`() {
        func statement(_ value: some Bindable) -> Statement { "SELECT \(value)" }
        #expect(statement(String?.none).bindings.parameters.map(\.count) == [nil])
        #expect(statement("").bindings.parameters.map(\.count) == [0])
    }

    @Test func `a column name that needs quotes gets them`() {
        let odd: ColumnList = ["id", "Order", "a\"b"]
        #expect(odd.text == #"id, "Order", "a""b""#)
    }

    @Test func `text that is spelled unsafe stands as it is`() {
        let statement: Statement = "SELECT \(unsafe: "now()")"
        #expect(statement.text == "SELECT now()")
        #expect(statement.bindings.parameters.isEmpty)
    }

    @Test(
        arguments: [(0, 946_684_800), (-1, 946_684_799), (1_999_999, 946_684_801), (-946_684_800_000_000, 0)]
            as [(Int64, Int64)])
    func `a timestamp's seconds are rounded down`(microseconds: Int64, seconds: Int64) {
        #expect(Timestamp(microseconds: microseconds).unixSeconds == seconds)
    }
}

@Suite struct SQLStateTests {
    @Test(
        arguments: [
            ("40001", .conflict), ("40P01", .conflict), ("08006", .unavailable), ("57P01", .unavailable),
            ("53300", .unavailable),
            ("25006", .unavailable), ("55P03", .unavailable), ("28P01", .unavailable), ("57014", .timeout),
            ("23505", .duplicate),
            ("23503", .duplicate), ("23514", .invalid), ("22001", .invalid), ("22003", .invalid),
            ("22021", .malformedText),
            ("22P05", .malformedText), ("42P01", .defect), ("25P02", .defect), ("XX000", .defect),
        ] as [(SQLState, SQLState.Meaning)])
    func `a state means one thing for a request`(state: SQLState, meaning: SQLState.Meaning) {
        #expect(state.meaning == meaning)
    }
}
