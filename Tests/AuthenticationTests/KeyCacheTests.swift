import EventLoop
import TestSupport
import Testing
import Web

@testable import Authentication

@Suite struct KeyCacheTests {
    private let start = Instant.now
    private func at(_ milliseconds: Int) -> Instant { start.advanced(by: .milliseconds(milliseconds)) }
    private let crm = Principal(name: "key:crm", role: .editor)

    @Test func `an entry expires 800 ms after its lookup was sent, and is refreshed once after 400 ms`() {
        var cache = KeyCache()
        #expect(cache.find("k", at: at(0)) == .absent)
        cache.store("k", crm, sent: at(0), at: at(100))
        #expect(cache.find("k", at: at(399)) == .fresh(crm))
        #expect(cache.find("k", at: at(400)) == .stale(crm))
        #expect(cache.find("k", at: at(401)) == .fresh(crm))
        #expect(cache.find("k", at: at(799)) == .fresh(crm))
        #expect(cache.find("k", at: at(800)) == .absent)
    }

    @Test func `the next request retries a failed refresh`() {
        var cache = KeyCache()
        cache.store("k", crm, sent: at(0), at: at(0))
        #expect(cache.find("k", at: at(500)) == .stale(crm))
        cache.lookupFailed("k")
        #expect(cache.find("k", at: at(501)) == .stale(crm))
    }

    @Test func `a key that is no longer valid is removed immediately`() {
        var cache = KeyCache()
        cache.store("k", crm, sent: at(0), at: at(0))
        cache.store("k", nil, sent: at(1), at: at(2))
        #expect(cache.find("k", at: at(2)) == .absent)
    }

    @Test func `the result of an earlier lookup does not replace that of a later one`() {
        var cache = KeyCache()
        let reader = Principal(name: "key:crm", role: .reader)
        cache.store("k", reader, sent: at(100), at: at(110))
        cache.store("k", crm, sent: at(50), at: at(120))
        #expect(cache.find("k", at: at(130)) == .fresh(reader))
    }

    @Test func `the cache holds 10,000 entries, and removes expired ones when it is full`() {
        var cache = KeyCache()
        for index in 0..<KeyCache.limit { cache.store("\(index)", crm, sent: at(0), at: at(0)) }
        cache.store("more", crm, sent: at(700), at: at(700))
        #expect(cache.count == KeyCache.limit)
        #expect(cache.find("more", at: at(700)) == .absent)
        cache.store("more", crm, sent: at(900), at: at(900))
        #expect(cache.count == 1)
        #expect(cache.find("more", at: at(900)) == .fresh(crm))
    }

    /// Keys are revoked, looked up and used at random times, and the results of lookups arrive late and out of order.
    @Test(arguments: 0..<200) func `no key is accepted a second after it was revoked`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var cache = KeyCache()
        var revoked: [String: Int] = [:]
        var lookups: [(key: String, sent: Int, due: Int)] = []
        var (now, accepted) = (0, 0)
        for _ in 0..<2000 {
            now += Int.random(in: 0...30, using: &random)
            for index in lookups.indices.reversed() where lookups[index].due <= now {
                let (key, sent, _) = lookups.remove(at: index)
                if Bool.random(using: &random), Bool.random(using: &random) {
                    cache.lookupFailed(key)
                } else {
                    let isValid = revoked[key].map { $0 > sent } ?? true
                    cache.store(key, isValid ? crm : nil, sent: at(sent), at: at(now))
                }
            }
            let key = "\(Int.random(in: 0..<4, using: &random))"
            switch cache.find(key, at: at(now)) {
            case .fresh: accepted += 1
            case .stale, .absent: lookups.append((key, now, now + Int.random(in: 0...1500, using: &random)))
            }
            if case .fresh = cache.find(key, at: at(now)), let end = revoked[key] { #expect(now - end < 1000) }
            // Each key is sometimes revoked, and later replaced by a new key with the same text.
            if Int.random(in: 0..<50, using: &random) == 0 { revoked[key] = revoked[key] == nil ? now : nil }
        }
        #expect(accepted > 0)
    }
}
