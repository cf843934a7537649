import EventLoop

/// How long to leave a database alone that could not be reached: meanwhile, requests fail at once, and not by a timeout each.
struct Backoff {
    private var failures = 0
    private var last: (error: PostgresError, until: Instant)?

    /// Why not to try now, if that is so.
    func error(at now: Instant) -> PostgresError? { last.flatMap { now < $0.until ? $0.error : nil } }

    /// Waits 100 ms after the first failure, twice as long after each further one, 2 s at most; a fifth more or less, so that
    /// many loops do not try in step.
    mutating func failed(_ error: PostgresError, at now: Instant) {
        let milliseconds = min(2000, 100 << min(failures, 5))
        failures += 1
        last = (error, now.advanced(by: .milliseconds(milliseconds * .random(in: 80...120) / 100)))
    }
}
