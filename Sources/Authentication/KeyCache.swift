import EventLoop
import Web

/// Caches the valid API keys that an event loop has looked up.
///
/// The entry of a key in use is refreshed in the background before it expires, so that requests rarely wait for a
/// lookup. An entry expires 800 ms after its lookup was sent, so that a revoked key is rejected within one second.
struct KeyCache {
    /// The result of looking for a key in the cache.
    enum LookupResult: Equatable {
        /// The key is not cached, or its entry has expired.
        case absent
        /// The key is valid, and the caller need not refresh the entry.
        case fresh(Principal)
        /// The key is valid, and the caller must refresh the entry.
        case stale(Principal)
    }

    private struct Entry {
        let principal: Principal
        /// When the lookup that returned the key was sent.
        let time: Instant
        var isBeingRefreshed = false
    }

    /// The age from which an entry of the cache is refreshed, and the age at which an entry expires.
    static let (refreshAge, maxAge) = (Duration.milliseconds(400), Duration.milliseconds(800))
    /// The maximum number of entries in the cache.
    static let limit = 10_000

    private var entries: [String: Entry] = [:]

    /// The number of entries in the cache, including expired ones.
    var count: Int { entries.count }

    /// Finds the entry for a value of `Authorization`.
    mutating func find(_ authorization: String, at now: Instant) -> LookupResult {
        guard let entry = entries[authorization] else { return .absent }
        let age = now.duration(since: entry.time)
        if age < KeyCache.refreshAge { return .fresh(entry.principal) }
        guard age < KeyCache.maxAge else { return .absent }
        guard !entry.isBeingRefreshed else { return .fresh(entry.principal) }
        entries[authorization]?.isBeingRefreshed = true
        return .stale(entry.principal)
    }

    /// Stores the result of a lookup.
    /// - Parameters:
    ///   - authorization: the value of `Authorization` that contains the key.
    ///   - principal: the key's principal; `nil` when the key is not valid.
    ///   - time: when the lookup was sent.
    ///   - now: the current time.
    mutating func store(_ authorization: String, _ principal: Principal?, sent time: Instant, at now: Instant) {
        guard let principal else {
            entries[authorization] = nil
            return
        }
        // The result of a later lookup may have arrived earlier.
        if let entry = entries[authorization], entry.time > time { return }
        if entries.count >= KeyCache.limit, entries[authorization] == nil { removeExpired(at: now) }
        guard entries.count < KeyCache.limit || entries[authorization] != nil else { return }
        entries[authorization] = Entry(principal: principal, time: time)
    }

    /// Records that a lookup failed. The entry of the key is kept until it expires, and the next request refreshes the
    /// entry.
    mutating func lookupFailed(_ authorization: String) { entries[authorization]?.isBeingRefreshed = false }

    private mutating func removeExpired(at now: Instant) {
        entries = entries.filter { now.duration(since: $0.value.time) < KeyCache.maxAge }
    }
}
