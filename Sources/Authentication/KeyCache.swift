import EventLoop
import Web

/// The valid keys that a loop has looked up within the last second.
///
/// A key that is in use is looked up again in the background, before it is too old: as a rule no request waits for that. No entry is used a
/// second after its lookup was sent, so that a revoked key has ended by then.
struct KeyCache {
    enum Answer: Equatable {
        /// The key is not there, or is too old.
        case absent
        /// The key is valid.
        case fresh(Principal)
        /// The key is valid, and the caller is to look it up again.
        case stale(Principal)
    }

    private struct Entry {
        let principal: Principal
        let time: Instant
        var isBeingRefreshed = false
    }

    /// From what age on an entry is refreshed, and from what age on it is not used.
    static let (refreshAge, greatestAge) = (Duration.milliseconds(400), Duration.milliseconds(800))
    /// How many keys it holds.
    static let limit = 10_000

    private var entries: [String: Entry] = [:]

    var count: Int { entries.count }

    /// Looks a value of `Authorization` up.
    mutating func find(_ authorization: String, at now: Instant) -> Answer {
        guard let entry = entries[authorization] else { return .absent }
        let age = now.duration(since: entry.time)
        if age < KeyCache.refreshAge { return .fresh(entry.principal) }
        guard age < KeyCache.greatestAge else { return .absent }
        guard !entry.isBeingRefreshed else { return .fresh(entry.principal) }
        entries[authorization]?.isBeingRefreshed = true
        return .stale(entry.principal)
    }

    /// Takes the outcome of a lookup.
    /// - Parameters:
    ///   - principal: `nil` when the key is not valid.
    ///   - time: when the lookup was sent.
    mutating func store(_ authorization: String, _ principal: Principal?, sent time: Instant, at now: Instant) {
        guard let principal else {
            entries[authorization] = nil
            return
        }
        // An answer may have been overtaken by that of a later lookup.
        if let entry = entries[authorization], entry.time > time { return }
        if entries.count >= KeyCache.limit, entries[authorization] == nil { removeOld(at: now) }
        guard entries.count < KeyCache.limit || entries[authorization] != nil else { return }
        entries[authorization] = Entry(principal: principal, time: time)
    }

    /// Takes the failure of a lookup: the entry stays until it is too old, and the next request looks it up again.
    mutating func failed(_ authorization: String) { entries[authorization]?.isBeingRefreshed = false }

    private mutating func removeOld(at now: Instant) {
        entries = entries.filter { now.duration(since: $0.value.time) < KeyCache.greatestAge }
    }
}
