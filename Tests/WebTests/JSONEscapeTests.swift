import TestSupport
import Testing

@testable import Web

@Suite struct JSONEscapeTests {
    /// A simple reference implementation, which escapes one scalar at a time (RFC 8259, section 7).
    private func reference(_ text: String) -> String {
        let letters: [Unicode.Scalar: String] = [
            "\"": "\\\"", "\\": "\\\\", "\u{8}": "\\b", "\t": "\\t", "\n": "\\n", "\u{c}": "\\f", "\r": "\\r",
        ]
        return text.unicodeScalars.map { scalar in
            if let short = letters[scalar] { return short }
            if (0x20..<0x7f).contains(scalar.value) { return String(scalar) }
            return String(scalar).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }.joined()
    }

    private func written(_ text: String) -> String {
        var writer = JSONWriter()
        writer.string(text)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    /// Random text: scalars of every encoded length, mixed with runs of plain ASCII.
    private func randomText(_ count: Int, _ random: inout SeededGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x7f, 0x80...0x7ff, 0x800...0xd7ff, 0xe000...0xffff, 0x10000...0x10ffff,
        ]
        let plainness = Int.random(in: 0...100, using: &random)
        var text = String.UnicodeScalarView()
        for _ in 0..<count {
            let range =
                Int.random(in: 0..<100, using: &random) < plainness
                ? 0x20...0x7e : ranges[Int.random(in: 0..<ranges.count, using: &random)]
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { text.append(scalar) }
        }
        return String(text)
    }

    @Test func `random text is escaped like by the reference implementation`() {
        for seed in SeededGenerator.seeds(500) {
            var random = SeededGenerator(seed: seed)
            for maxCount in [20, 20, 20, 200, 5000] {
                let text = randomText(Int.random(in: 0...maxCount, using: &random), &random)
                #expect(written(text) == "\"\(reference(text))\"\n", "seed \(seed)")
            }
        }
    }

    @Test func `every scalar of one or two bytes is escaped correctly at every offset within a word`() {
        for value in 0...0x7ff as ClosedRange<UInt32> {
            let scalar = String(Unicode.Scalar(value)!)  // Sound: surrogates begin at U+D800.
            for offset in 0..<9 {
                let text = String(repeating: "x", count: offset) + scalar + String(repeating: "y", count: 9 - offset)
                if written(text) != "\"\(reference(text))\"\n" {
                    Issue.record("U+\(String(value, radix: 16)) at \(offset)")
                }
            }
        }
    }

    @Test(arguments: ["x", "\u{7f}", "\n", "é", "€", "😀"])
    func `text that repeats one scalar fits into the reserved capacity`(unit: String) {
        for count in [1, 7, 8, 9, 50_000] {
            let text = String(repeating: unit, count: count)
            #expect(written(text) == "\"\(reference(text))\"\n")
        }
    }
}
