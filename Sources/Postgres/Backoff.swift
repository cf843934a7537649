import EventLoop

/// Exponential backoff between attempts to connect to a database that cannot be reached. During the backoff, requests
/// fail immediately instead of each waiting for a timeout.
struct Backoff {
    private var failures = 0
    /// The error with which requests fail during the backoff; `nil` when the last attempt succeeded.
    private(set) var error: PostgresError?
    /// The end of the backoff.
    private(set) var until = Instant.now

    /// Whether an attempt to connect is allowed.
    func allowsTrying(at now: Instant) -> Bool { error == nil || now >= until }

    /// Starts or extends the backoff after a failed attempt. The delay is 100 ms after the first failure and doubles
    /// after each further one, up to 500 ms. The delay is then increased or decreased by a random amount of up to 20 %,
    /// so that many event loops do not retry simultaneously.
    mutating func failed(_ error: PostgresError, at now: Instant) {
        let milliseconds = min(500, 100 << min(failures, 3))
        failures += 1
        self.error = error
        until = now.advanced(by: .milliseconds(milliseconds * .random(in: 80...120) / 100))
    }
}
