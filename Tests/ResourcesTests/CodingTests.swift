import ORM
import TestSupport
import Testing
import Web

@testable import Resources

/// The parsing of dates, and the encoding of cursors.
@Suite struct CodingTests {
    // MARK: Dates

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1970-01-01", 0), ("1969-12-31T23:59:59Z", -1), ("2000-01-01", 946_684_800),
        ("2026-11-23T07:33:36Z", 1_795_419_216), ("2026-11-23t07:33:36z", 1_795_419_216),
        ("2026-11-23 07:33:36Z", 1_795_419_216), ("2026-11-23T08:33:36+01:00", 1_795_419_216),
        ("2026-11-23T08:33:36 01:00", 1_795_419_216), ("2026-11-23T02:03:36-05:30", 1_795_419_216),
        ("2026-11-23T07:33:36-00:00", 1_795_419_216), ("2024-02-29", 1_709_164_800), ("2000-02-29", 951_782_400),
        ("2024-03-01", 1_709_251_200), ("2024-02-29T23:59:60Z", 1_709_251_199), ("1900-03-01", -2_203_891_200),
        ("1900-02-28", -2_203_977_600), ("2100-03-01", 4_107_542_400), ("0001-01-01", -62_135_596_800),
        ("9999-12-31T23:59:59Z", 253_402_300_799), ("2025-12-31T23:30:00-01:00", 1_767_227_400),
    ]) func `a date of RFC 3339 is parsed`(text: String, seconds: Int64) {
        #expect(Timestamp(rfc3339: text) == Timestamp(unixSeconds: seconds))
    }

    @Test(arguments: [
        (".5", 500_000), (".123456", 123_456), (".1234569", 123_456), (".000001", 1), (".999999999", 999_999),
        (".0", 0),
    ]) func `a fraction is truncated to microseconds`(fraction: String, micros: Int64) {
        for day in ["2026-11-23", "1960-11-23"] {
            let whole = Timestamp(rfc3339: day + "T07:33:36Z")
            let exact = Timestamp(rfc3339: "\(day)T07:33:36\(fraction)Z")
            #expect(exact?.microseconds == whole.map { $0.microseconds + micros })
        }
    }

    @Test(arguments: [
        "", "2026", "2026-11", "2026-11-31", "2026-02-29", "1900-02-29", "2100-02-29", "2024-02-30", "2026-00-01",
        "2026-13-01", "2026-01-00", "0000-01-01", "26-11-23", "2026-1-2", "02026-11-23", "-2026-11-23", "2026-11-23T",
        "2026-11-23T07:33:36", "2026-11-23T07:33Z", "2026-11-23T24:00:00Z", "2026-11-23T07:60:00Z",
        "2026-11-23T07:33:61Z", "2026-11-23T07:33:36.Z", "2026-11-23T07:33:36.1234567890Z",
        "2026-11-23T07:33:36+24:00", "2026-11-23T07:33:36+01:60", "2026-11-23T07:33:36+0100", "2026-11-23T07:33:36+01",
        "2026-11-23T07:33:36Z ", " 2026-11-23", "2026-11-23\n", "2026/11/23", "２０２６-11-23", "٢٠٢٦-11-23",
        "2026-11-23_07:33:36Z", "infinity", "now",
    ]) func `what is not a date of RFC 3339 is rejected`(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test(arguments: [
        ("Mon, 23 Nov 2026 07:33:36 GMT", 1_795_419_216), ("Tue, 23 Nov 2026 07:33:36 GMT", 1_795_419_216),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800),
        ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400), ("Fri, 31 Dec 9999 23:59:60 GMT", 253_402_300_799),
    ]) func `an HTTP date is parsed`(text: String, seconds: Int64) {
        #expect(Timestamp(httpDate: text) == Timestamp(unixSeconds: seconds))
    }

    @Test(arguments: [
        "", "Mon, 23 Nov 2026 07:33:36 UTC", "Mon, 23 Nov 2026 07:33:36 gmt", "mon, 23 Nov 2026 07:33:36 GMT",
        "Mon, 23 NOV 2026 07:33:36 GMT", "Mon, 23 Now 2026 07:33:36 GMT", "Mon, 31 Nov 2026 07:33:36 GMT",
        "Sun, 29 Feb 2026 00:00:00 GMT", "Thu, 29 Feb 1900 00:00:00 GMT", "Mon, 00 Nov 2026 07:33:36 GMT",
        "Mon, 23 Nov 2026 24:33:36 GMT", "Mon, 23 Nov 2026 07:60:36 GMT", "Mon, 23 Nov 2026 07:33:61 GMT",
        "Monday, 23-Nov-26 07:33:36 GMT", "Mon Nov 23 07:33:36 2026", "Mon, 3 Nov 2026 07:33:36 GMT",
        "Mon, 23 Nov 2026 07:33:36 GMT ", "Mon,  3 Nov 2026 07:33:36 GMT", "Sat, 01 Jan 0000 00:00:00 GMT",
    ]) func `what is not an HTTP date is rejected`(text: String) { #expect(Timestamp(httpDate: text) == nil) }

    @Test func `every HTTP date that is written can be parsed`() {
        for day in stride(from: Int64(-150_000), through: 150_000, by: 7) {
            let time = Timestamp(unixSeconds: day * 86_400 + 86_399)
            #expect(Timestamp(httpDate: time.text) == time)
        }
    }

    @Test func `a time whose year in UTC is below 1 or above 9999 is rejected`() {
        #expect(Timestamp(rfc3339: "9999-12-31T23:59:59-00:01") == nil)
        #expect(Timestamp(rfc3339: "0001-01-01T00:00:00+00:01") == nil)
        #expect(Timestamp(rfc3339: "9999-12-31T23:59:59+00:01") != nil)
    }

    // MARK: Bytes

    @Test(
        arguments: [
            ([], ""), ([0], "AA"), ([0xff], "_w"), ([0xfb, 0xff], "-_8"), ([1, 2, 3], "AQID"),
            (Array("any+".utf8), "YW55Kw"),
        ] as [([UInt8], String)]) func `bytes are encoded as base64url`(bytes: [UInt8], text: String)
    {
        #expect(bytes.base64URL == text && [UInt8](base64URL: text) == bytes)
    }

    @Test(arguments: [
        "A", "AAAAA", "AB", "AAB", "AA=", "AA==", "A+", "A/", "A A", " AA", "AA\n", "ÄA", "A\0", "AQI.", "_x",
    ])
    func `what is not base64url is rejected`(text: String) { #expect([UInt8](base64URL: text) == nil) }

    private func randomBytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in .random(in: 0...255, using: &generator) }
    }

    @Test(arguments: SeededGenerator.seeds(5)) func `random bytes survive a round trip through base64url`(seed: UInt64)
    {
        var generator = SeededGenerator(seed: seed)
        for count in 0..<70 {
            let bytes = randomBytes(count, &generator)
            let text = bytes.base64URL
            #expect([UInt8](base64URL: text) == bytes)
            #expect(text.utf8.count == (count * 8 + 5) / 6)
            #expect(text.utf8.allSatisfy { "-_".utf8.contains($0) || Character(Unicode.Scalar($0)).isASCIIWord })
        }
    }

    @Test(arguments: SeededGenerator.seeds(5))
    func `random cursors survive a round trip, and damaged ones are rejected`(seed: UInt64)
        throws
    {
        var generator = SeededGenerator(seed: seed)
        for count in 1..<6 {
            let position = (0..<count).map { _ in
                Bool.random(using: &generator) ? nil : randomBytes(.random(in: 0...40, using: &generator), &generator)
            }
            let cursor = PageCursor(fingerprint: .random(in: 0...(.max), using: &generator), position: position)
            #expect(PageCursor(cursor.text) == cursor)
            let bytes = try #require([UInt8](base64URL: cursor.text))
            for index in bytes.indices {
                var damaged = bytes
                damaged[index] ^= .random(in: 1...255, using: &generator)
                #expect(PageCursor(damaged.base64URL) == nil)
                #expect(PageCursor(Array(bytes.prefix(index)).base64URL) == nil)
            }
        }
    }

    @Test(arguments: SeededGenerator.seeds(5)) func `random text is rejected as a cursor`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for count in 0..<100 {
            let bytes = randomBytes(count, &generator)
            #expect(PageCursor(bytes.base64URL) == nil)
            #expect(PageCursor(String(decoding: bytes, as: UTF8.self)) == nil)
            // With a valid checksum, it is decoded or rejected; what is decoded survives a round trip.
            let whole = [1] + bytes
            let signed = (whole + Fingerprint(whole).bytes).base64URL
            if let cursor = PageCursor(signed) { #expect(PageCursor(cursor.text) == cursor) }
        }
        #expect(PageCursor(String(repeating: "A", count: 9000)) == nil)
    }

    @Test func `a cursor with truncated values is rejected even if its checksum is valid`() {
        for tail in [[1], [1, 0, 0, 0], [1, 0, 0, 0, 2, 7], [1, 0xff, 0xff, 0xff, 0xff], [2], [7, 7]] as [[UInt8]] {
            let whole = [1, 0, 0, 0, 0, 0, 0, 0, 9] + tail
            #expect(PageCursor((whole + Fingerprint(whole).bytes).base64URL) == nil)
        }
    }
}

extension Character {
    fileprivate var isASCIIWord: Bool { isASCII && (isLetter || isNumber) }
}
