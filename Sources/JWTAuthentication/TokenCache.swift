import Web

/// A cache of verified tokens, which are kept until they expire or the keys change. For most requests, verifying the
/// signature would take longer than all other processing.
struct TokenCache {
    private struct Entry {
        let principal: Principal
        /// The time until which the token is cached, in seconds since 1970.
        let end: Double
    }

    /// The maximum total size of the cached tokens in bytes. The cache is emptied before a token that would exceed this
    /// limit is added.
    static let limit = 4 << 20

    private var entries: [String: Entry] = [:]
    /// The total size of the cached tokens in bytes.
    private(set) var bytes = 0

    /// Returns the principal of a cached token; `nil` when the token is not cached or has expired.
    func find(_ token: String, at now: Double) -> Principal? {
        guard let entry = entries[token], now < entry.end else { return nil }
        return entry.principal
    }

    /// Caches a verified token until it expires at `end`.
    mutating func store(_ token: String, _ principal: Principal, until end: Double) {
        if bytes + token.utf8.count > TokenCache.limit { removeAll() }
        if entries.updateValue(Entry(principal: principal, end: end), forKey: token) == nil {
            bytes += token.utf8.count
        }
    }

    /// Empties the cache.
    mutating func removeAll() { (entries, bytes) = ([:], 0) }
}
