import EventLoop

/// The backoff between worker starts: none after a worker that had been ready for a while, and an exponentially growing
/// pause after workers that never became ready.
struct StartBackoff: Sendable {
    /// The number of consecutive workers that failed before they were ready.
    private(set) var failures = 0
    /// When the next worker may be started; `nil` for immediately.
    private(set) var nextStartAt: Instant?

    /// Records a failed start: the pause is 100 ms, doubled for each further failure, at most 10 s.
    mutating func failed(at now: Instant) {
        failures += 1
        nextStartAt = now.advanced(by: .milliseconds(min(10_000, 100 << min(failures - 1, 7))))
    }

    /// Records the death of a worker that had been ready: the pause is 100 ms when the worker lived for less than a
    /// second. Has no effect after a failed start.
    mutating func died(after life: Duration, at now: Instant) {
        guard life < .seconds(1), failures == 0 else { return }
        nextStartAt = now.advanced(by: .milliseconds(100))
    }

    /// Records that a worker became ready: resets the backoff.
    mutating func succeeded() { self = StartBackoff() }
}
