import Testing

@testable import Web

@Suite struct JSONWriterTests {
    private func text(_ value: some JSONWritable) -> String {
        var writer = JSONWriter()
        value.write(to: &writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test(
        arguments: [
            ("", #""""#), ("plain /<>&'", #""plain /<>&'""#), ("\"\\", #""\"\\""#),
            ("\u{8}\t\n\u{c}\r", #""\b\t\n\f\r""#),
            ("\u{0}\u{1f}\u{7f}", #""\u0000\u001f\u007f""#), ("é½€", #""\u00e9\u00bd\u20ac""#),
            ("😀", #""\ud83d\ude00""#),
            ("a😀b\u{10ffff}", #""a\ud83d\ude00b\udbff\udfff""#),
        ])
    func `a string is escaped as the original API escapes it`(string: String, json: String) {
        #expect(text(string) == json + "\n")
    }

    @Test(arguments: [0, 7, 10, -1, Int64.max, Int64.min] as [Int64]) func `integers are written with all digits`(
        number: Int64
    ) {
        #expect(text(number) == "\(number)\n")
    }

    @Test func `elements are separated by commas`() {
        #expect(text([true, false]) == "[true,false]\n")
        #expect(text([[Int64]]()) == "[]\n")
        #expect(text([[1], [], [2, 3]] as [[Int64]]) == "[[1],[],[2,3]]\n")
    }

    @Test func `a long text grows the buffer`() {
        let long = String(repeating: "x", count: 100_000)
        #expect(text([long, long]) == "[\"\(long)\",\"\(long)\"]\n")
    }

    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (1_795_419_216, "Mon, 23 Nov 2026 07:33:36 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (-62_135_596_800, "Mon, 01 Jan 0001 00:00:00 GMT"),
            (.min, "Mon, 01 Jan 0001 00:00:00 GMT"), (.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func `a date is written as IMF-fixdate of RFC 9110`(seconds: Int64, date: String) {
        var writer = JSONWriter()
        writer.date(unixSeconds: seconds)
        #expect(String(decoding: writer.finish(), as: UTF8.self) == "\"\(date)\"\n")
    }

    @Test func `consecutive dates of one day and of different days are written correctly`() {
        var writer = JSONWriter()
        writer.beginArray()
        for seconds in [0, 1, 86_400, 86_401, 2] as [Int64] { writer.date(unixSeconds: seconds) }
        writer.endArray()
        let (first, second) = ("Thu, 01 Jan 1970 00:00:0", "Fri, 02 Jan 1970 00:00:0")
        #expect(
            String(decoding: writer.finish(), as: UTF8.self)
                == "[\"\(first)0 GMT\",\"\(first)1 GMT\",\"\(second)0 GMT\",\"\(second)1 GMT\",\"\(first)2 GMT\"]\n")
    }
}

@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    @Test func `values of every type are parsed`() throws {
        #expect(
            try parse(" {\"a\": [1, -0.5e+3, true, false, null], \"b\": {}}\r\n\t")
                == .object([
                    "a": .array([.number("1"), .number("-0.5e+3"), .bool(true), .bool(false), .null]),
                    "b": .object([:]),
                ]))
        #expect(try parse("[]") == .array([]))
    }

    @Test func `escapes are decoded`() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#) == .string("\"\\/\u{8}\u{c}\n\r\té😀"))
        #expect(try parse(#""\u0000""#) == .string("\0"))
    }

    @Test(arguments: [#""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\u0041""#, #""\ud800\ud800""#])
    func `a string with an unpaired surrogate is marked as such`(text: String) throws {
        #expect(try parse(text) == .unpairedSurrogate)
    }

    @Test func `of two members with the same name the last one counts`() throws {
        #expect(try parse(#"{"a":1,"a":2}"#) == .object(["a": .number("2")]))
    }

    @Test func `names are compared byte by byte`() throws {
        var members = JSON.Members()
        if case .object(let found) = try parse(#"{"\u00e9":1,"e\u0301":2}"#) { members = found }
        #expect(members["\u{e9}"] == .number("1") && members["e\u{301}"] == .number("2"))
    }

    @Test func `the number of values is limited`() throws {
        let text = Array(#"[1,{"a":[2]}]"#.utf8)
        _ = try JSON(parsing: text, atMost: 5)
        #expect(throws: JSONError.tooManyValues(limit: 4)) { try JSON(parsing: text, atMost: 4) }
    }

    @Test func `escapes and plain text may alternate`() throws {
        #expect(try parse(#""a\nb\\\u00C9\u00cfz""#) == .string("a\nb\\ÉÏz"))
        #expect(try parse(#""\u4f1a""#) == .string("会"))
    }

    @Test func `a byte order mark is skipped`() throws { #expect(try parse("\u{feff}1") == .number("1")) }

    @Test(
        arguments: [
            "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{'a':1}", "{a:1}", "{\"a\" 1}", "[1 2]", "1 2", "tru", "nul",
            "01", "-", "1.", ".5",
            "1e", "+1", "NaN", "\"", "\"\n\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u+123\"", "\"\\ud83d\\u", "]", "{}}",
        ]) func `invalid JSON is rejected`(text: String)
    { #expect(throws: JSONError.self) { try parse(text) } }

    @Test(
        arguments: [[0xff], [0x22, 0xc3, 0x28, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xc0, 0x80, 0x22]]
            as [[UInt8]])
    func `invalid UTF-8 is rejected`(bytes: [UInt8]) {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
        #expect(error?.description.hasPrefix("invalid UTF-8") == true)
    }

    @Test func `nesting is limited to 64 levels`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try parse(nested(64))
        #expect(throws: JSONError.self) { try parse(nested(65)) }
        #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 5000)) }
    }

    @Test func `an error contains its offset`() {
        let error = #expect(throws: JSONError.self) { try parse("{\"a\":x}") }
        #expect(error?.description == "expected a value at byte 5")
    }
}

@Suite struct TrimmingTests {
    @Test func `exactly the scalars with the property White_Space are trimmed`() {
        for value in Array(0...0x3100) + [0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000, 0x10ffff] as [UInt32] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = "\(scalar)a\(scalar)"
            let isTrimmed = text.trimmed == "a"
            if isTrimmed != scalar.properties.isWhitespace { Issue.record("U+\(String(value, radix: 16))") }
        }
    }

    @Test(arguments: [
        ("", ""), (" \r\n\t ", ""), (" a b ", "a b"), (" \u{301}a", "\u{301}a"), ("\u{3000}\u{85}é", "é"),
    ])
    func `only leading and trailing white space is trimmed`(text: String, trimmed: String) {
        #expect(Array(text.trimmed.utf8) == Array(trimmed.utf8))
    }
}
