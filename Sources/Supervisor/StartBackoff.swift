import EventLoop

/// How long to wait before a worker is started in place of one that died: not at all after one that had served for a while, and
/// longer and longer after ones that never did.
struct StartBackoff: Sendable {
    /// How many in a row ended before they were ready.
    private(set) var failures = 0
    /// When the next one may be started; `nil`: at once.
    private(set) var startsFrom: Instant?

    /// One could not be started: 100 ms, twice as long after each further one, 10 s at most.
    mutating func failed(at now: Instant) {
        failures += 1
        startsFrom = now.advanced(by: .milliseconds(min(10_000, 100 << min(failures - 1, 7))))
    }

    /// One that had been ready died.
    mutating func died(after life: Duration, at now: Instant) {
        guard life < .seconds(1), failures == 0 else { return }
        startsFrom = now.advanced(by: .milliseconds(100))
    }

    /// One is ready.
    mutating func succeeded() { self = StartBackoff() }
}
