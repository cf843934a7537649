import EventLoop
import Glibc
import Logging
import Scoreboard

/// Logs slow requests while they are in progress, each request once.
public struct SlowRequestLog {
    private struct Key: Hashable {
        let began: Int
        let id: String
    }

    private var logged: Set<Key> = []

    /// Creates a log that has not logged any request.
    public init() {}

    /// Logs the requests in a worker's slot that have been received, have been in progress for longer than `limit`,
    /// and were not logged before.
    public mutating func update(from slot: Slot, of worker: pid_t, longerThan limit: Duration, log: Logger) {
        let now = Int(Instant.now.nanoseconds)
        // A request is identified by its id, which is unknown while the request is being received.
        let slow = slot.activeRequests.filter { $0.phase != .reading && now - $0.began > limit.nanoseconds }
        let keys = Set(slow.map { Key(began: $0.began, id: $0.id) })
        for report in slow where !logged.contains(Key(began: report.began, id: report.id)) {
            slot[.slow] += 1
            log.warning(
                "a request is slow",
                metadata: [
                    "request_id": "\(report.id)", "method": "\(report.method)", "target": "\(report.target)",
                    "phase": "\(report.phaseDescription)", "elapsed_ms": "\((now - report.began) / 1_000_000)",
                    "database_us": "\(report.databaseMicroseconds)", "worker": "\(worker)",
                ])
        }
        logged = keys
    }
}
