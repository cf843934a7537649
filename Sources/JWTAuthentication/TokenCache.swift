import Web

/// Tokens that were verified, until they end or the keys change: a signature costs more than all else of most requests.
struct TokenCache {
    private struct Entry {
        let principal: Principal
        let end: Double
    }

    /// How many bytes of tokens it holds; one more, and it begins anew.
    static let limit = 4 << 20

    private var entries: [String: Entry] = [:]
    private(set) var bytes = 0

    func find(_ token: String, at now: Double) -> Principal? {
        guard let entry = entries[token], now < entry.end else { return nil }
        return entry.principal
    }

    mutating func store(_ token: String, _ principal: Principal, until end: Double) {
        if bytes + token.utf8.count > TokenCache.limit { removeAll() }
        if entries.updateValue(Entry(principal: principal, end: end), forKey: token) == nil {
            bytes += token.utf8.count
        }
    }

    mutating func removeAll() { (entries, bytes) = ([:], 0) }
}
