import SQL
import Testing

@Suite struct StatementTests {
    @Test func `a value becomes a parameter and never part of the text`() {
        let name = "'; DROP TABLE campaign; --"
        let statement: Statement =
            "SELECT \(Guest.columns.name) FROM \(Guest.definition) WHERE name = \(name) AND id > \(Int64(7))"
        #expect(statement.text == "SELECT name FROM guest WHERE name = $1 AND id > $2")
        #expect(statement.bindings.parameters.map(\.type) == [25, 20])
        #expect(statement.bindings.buffer == Array(name.utf8) + [0, 0, 0, 0, 0, 0, 0, 7])
    }

    @Test func `the text is the same for all values`() {
        func statement(_ id: Int64) -> Statement { "SELECT 1 WHERE \(id) = 1" }
        #expect(statement(1).text == statement(.max).text)
    }

    @Test func `nil is NULL, whereas an empty string is not`() {
        func statement(_ value: some SQLValue) -> Statement { "SELECT \(value)" }
        #expect(statement(String?.none).bindings.parameters.map(\.count) == [nil])
        #expect(statement("").bindings.parameters.map(\.count) == [0])
    }

    @Test func `a condition can be interpolated`() {
        let condition = Guest.columns.id == 7 && Guest.columns.name.hasPrefix("a")
        let statement: Statement = "SELECT \(Int64(1)) FROM guest WHERE \(condition) LIMIT \(Int64(2))"
        #expect(statement.text == "SELECT $1 FROM guest WHERE id = $2 AND name LIKE $3 LIMIT $4")
    }

    @Test func `text marked as unsafe is included unchanged`() {
        let statement: Statement = "SELECT \(unsafe: "now()")"
        #expect(statement.text == "SELECT now()")
        #expect(statement.bindings.parameters.isEmpty)
    }

    @Test(
        arguments: [(0, 946_684_800), (-1, 946_684_799), (1_999_999, 946_684_801), (-946_684_800_000_000, 0)]
            as [(Int64, Int64)])
    func `the Unix time of a timestamp is rounded down`(microseconds: Int64, seconds: Int64) {
        #expect(Timestamp(microseconds: microseconds).unixSeconds == seconds)
    }
}
