import EventLoop
import Postgres
import SQL
import TestSupport
import Testing

/// Each type makes a round trip to Postgres, and Postgres reads the same value.
@Suite struct CodecTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    /// Sends values as parameters, and expects the same values back, and `texts`, if any, as Postgres's text
    /// representation of them.
    private func expect<Value: SQLValue & Equatable>(
        _ values: [Value], _ texts: [String?] = [], location: SourceLocation = #_sourceLocation
    ) throws {
        let configuration = try database.configuration()
        let seen = try Loop.run { () -> [(Value, String?)] in
            let connection = try await Connection.open(configuration)
            var seen: [(Value, String?)] = []
            for value in values {
                let type = Value.typeName
                let statement: Statement = "SELECT \(value)::\(unsafe: type), \(value)::\(unsafe: type)::text"
                var row = try await connection.execute(statement).row(0)
                seen.append((try row.next(), try row.next()))
            }
            return seen
        }
        #expect(seen.map(\.0) == values, sourceLocation: location)
        if !texts.isEmpty { #expect(seen.map(\.1) == texts, sourceLocation: location) }
        #expect(Value.samples.count == 2 && Value.samples[0] != Value.samples[1], sourceLocation: location)
    }

    @Test func `numbers`() throws {
        try expect([Int16.min, 0, .max], ["-32768", "0", "32767"])
        try expect([Int32.min, 0, .max], ["-2147483648", "0", "2147483647"])
        try expect([Int64.min, -1, 0, .max], ["-9223372036854775808", "-1", "0", "9223372036854775807"])
        try expect(
            [0.1, -.infinity, .infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude],
            ["0.1", "-Infinity", "Infinity", "5e-324", "1.7976931348623157e+308"])
    }

    @Test func `NaN makes a round trip`() throws {
        let configuration = try database.configuration()
        let isNaN = try Loop.run {
            var row = try await Connection.open(configuration).execute("SELECT \(Double.nan)").row(0)
            return try row.next(Double.self).isNaN
        }
        #expect(isNaN)
    }

    @Test(arguments: [
        "0", "1", "-1", "0.1", "-0.00001", "10000", "9999.9999", "12345678901234567890.098765432109876543210", "0.00",
        "100000000", "1.50", "NaN", "Infinity", "-Infinity", "0.0001", "1000000000000.0000000001",
    ])
    func `decimal numbers are exact`(text: String) throws { try expect([try #require(Numeric(text))], [text]) }

    @Test(arguments: ["", "-", "1.", ".1", "1e5", "+1", "1.2.3", "a", "--1"])
    func `malformed decimal numbers are rejected`(text: String) { #expect(Numeric(text) == nil) }

    @Test func `texts, Booleans and bytes`() throws {
        try expect(["", "x", "é😀\"'\\", String(repeating: "y", count: 1 << 20)])
        try expect([true, false], ["true", "false"])
        try expect([Bytes([]), Bytes([0, 255]), Bytes([UInt8](repeating: 7, count: 1 << 20))])
        try expect([Bytes([0, 255])], ["\\x00ff"])
    }

    @Test func `timestamps and dates`() throws {
        try expect(
            [Timestamp(microseconds: 0), Timestamp(microseconds: -1), .infinity, .negativeInfinity],
            ["2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "infinity", "-infinity"])
        try expect(
            [ZonedTimestamp(Timestamp(microseconds: 1_500_000)), ZonedTimestamp(.infinity)],
            ["2000-01-01 00:00:01.5+00", "infinity"])
        try expect(
            [Day(number: 0), Day(number: -1), Day(number: 9797), .infinity, .negativeInfinity],
            ["2000-01-01", "1999-12-31", "2026-10-28", "infinity", "-infinity"])
    }

    @Test func `identifiers`() throws {
        let text = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
        let id = try #require(UUID(text.uppercased()))
        let (zero, most) = (UUID(high: 0, low: 0), UUID(high: .max, low: .max))
        try expect(
            [id, zero, most],
            [text, "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"])
        #expect(id.description == text && zero.description == "00000000-0000-0000-0000-000000000000")
        let random = UUID.random().description
        #expect(random.dropFirst(14).first == "4" && "89ab".contains(random.dropFirst(19).first ?? " "))
        #expect(UUID("f81d4fae-7dec-11d0-a765") == nil && UUID("+81d4fae-7dec-11d0-a765-00a0c91e6bf6") == nil)
    }

    @Test func `JSON`() throws {
        try expect([JSONText(#"{"a" : [1, null]}"#)], [#"{"a" : [1, null]}"#])
        try expect([JSONB(#"{"a": [1, null]}"#)], [#"{"a": [1, null]}"#])
    }

    @Test func `arrays`() throws {
        let numbers: [[Int64]] = [[], [1, .max]]
        try expect(numbers, ["{}", "{1,9223372036854775807}"])
        try expect([["a", "", "NULL"]], [#"{a,"","NULL"}"#])
        let optionals: [[Int32?]] = [[nil, 1]]
        try expect(optionals, ["{NULL,1}"])
        try expect([[try #require(Numeric("1.5"))]], ["{1.5}"])
    }

    @Test func `NULL`() throws {
        try expect([Int64?.none, 5], [nil, "5"])
        try expect([String?.none, ""], [nil, ""])
        try expect([[Int64]?.none, []], [nil, "{}"])
    }

    @Test func `a value of another type is an error`() throws {
        let configuration = try database.configuration()
        try Loop.run {
            let connection = try await Connection.open(configuration)
            func expectNone<Value: SQLValue>(_ sql: String, _: Value.Type) async throws {
                var row = try await connection.execute(Statement(unsafe: "SELECT \(sql)")).row(0)
                #expect(throws: DecodingError.self, "\(sql)") { try row.next(Value.self) }
            }
            try await expectNone("1::integer", Int64.self)
            try await expectNone("'x'::text", UUID.self)
            try await expectNone("ARRAY[1]::integer[]", [Int64].self)
            try await expectNone("ARRAY[[1], [2]]::bigint[]", [Int64].self)
            try await expectNone("ARRAY[NULL]::bigint[]", [Int64].self)
            try await expectNone("NULL::bigint", Int64.self)
        }
    }
}
