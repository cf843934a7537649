import Testing

@testable import Authentication

@Suite struct APIKeyTests {
    @Test func `a generated key can be parsed, and keys are unique`() {
        let keys = (0..<1000).map { _ in APIKey() }
        #expect(Set(keys.map(\.text)).count == 1000)
        #expect(keys.allSatisfy { APIKey($0.text) == $0 })
        #expect(keys.allSatisfy { $0.text.wholeMatch(of: /aktify_[0-9A-Za-z]{49}/) != nil })
    }

    @Test func `the characters of a secret are uniformly distributed`() {
        var counts: [Character: Int] = [:]
        for _ in 0..<2000 {
            for character in APIKey().text.dropFirst(7).prefix(43) { counts[character, default: 0] += 1 }
        }
        #expect(counts.count == 62)
        // 86,000 characters: 1,387 of each on average, with a standard deviation of 37.
        #expect(counts.values.allSatisfy { (1100...1700).contains($0) })
    }

    @Test func `the checksum detects a wrong, a missing and two swapped characters`() {
        for _ in 0..<50 {
            let text = Array(APIKey().text)
            for index in text.indices {
                var wrong = text
                wrong[index] = wrong[index] == "x" ? "y" : "x"
                #expect(APIKey(String(wrong)) == nil)
                var shorter = text
                shorter.remove(at: index)
                #expect(APIKey(String(shorter)) == nil)
                guard index > 0, text[index] != text[index - 1] else { continue }
                var swapped = text
                swapped.swapAt(index, index - 1)
                #expect(APIKey(String(swapped)) == nil)
            }
        }
    }

    @Test(arguments: [
        "", "aktify_", "aktify_" + String(repeating: "é", count: 49), "Bearer", String(repeating: "a", count: 200),
    ])
    func `text that is not a key is rejected`(text: String) { #expect(APIKey(text) == nil) }

    @Test func `the checksum is the standard CRC-32`() { #expect(APIKey.crc32("123456789".utf8) == 0xcbf4_3926) }
}
