import Testing

@testable import SQL

/// Decoding of invalid bytes, which only a defective or foreign server would send, and of values at the limits.
@Suite struct CodecTests {
    private func decode<Value: SQLValue>(_: Value.Type, _ words: [UInt16]) throws -> Value {
        try words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }.withUnsafeBytes { try Value(binary: $0) }
    }

    @Test func `an array with a negative number of elements is rejected`() {
        #expect(throws: DecodingError.self) { try decode([Int64].self, [0, 1, 0, 1, 0, 20, 0xffff, 0xffff, 0, 1]) }
    }

    @Test func `a numeric with a digit group above 9999 or an unknown sign is rejected`() {
        #expect(throws: DecodingError.self) { try decode(Numeric.self, [1, 0, 0, 0, 12345]) }
        #expect(throws: DecodingError.self) { try decode(Numeric.self, [1, 0, 0x1234, 0, 1]) }
    }

    @Test func `a numeric may have as many digits as in Postgres, and no more`() throws {
        let whole = String(repeating: "9", count: 131_072)
        let fraction = String(repeating: "9", count: 16_383)
        var bytes: [UInt8] = []
        let longest = try #require(Numeric("\(whole).\(fraction)"))
        #expect(longest.encode(into: &bytes))
        #expect(try bytes.withUnsafeBytes { try Numeric(binary: $0) } == longest)
        #expect(Numeric(whole + "9") == nil && Numeric("0.9" + fraction) == nil)
    }
}
