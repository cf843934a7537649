import EventLoop

/// How long to leave a database alone that could not be reached: meanwhile, requests fail at once, and not by a timeout each.
struct Backoff {
    private var failures = 0
    /// Why requests fail at once, until a connection is made.
    private(set) var error: PostgresError?
    private(set) var until = Instant.now

    /// Whether a connection may be tried.
    func allowsTrying(at now: Instant) -> Bool { error == nil || now >= until }

    /// Waits 100 ms after the first failure, twice as long after each further one, 500 ms at most; a fifth more or less, so that
    /// many loops do not try in step.
    mutating func failed(_ error: PostgresError, at now: Instant) {
        let milliseconds = min(500, 100 << min(failures, 3))
        failures += 1
        self.error = error
        until = now.advanced(by: .milliseconds(milliseconds * .random(in: 80...120) / 100))
    }
}
