import EventLoop
import Glibc
import Logging
import Scoreboard

/// Logs requests that take long while they run, each once.
public struct SlowRequests {
    private struct Key: Hashable {
        let began: Int
        let id: String
    }

    private var known: Set<Key> = []

    /// Makes one that has seen nothing.
    public init() {}

    /// Logs what has been under way for longer than `limit`.
    public mutating func look(at slot: Slot, of worker: pid_t, longerThan limit: Duration, log: Logger) {
        let now = Int(Instant.now.nanoseconds)
        let slow = slot.activeRequests.filter { now - $0.began > limit.nanoseconds }
        let keys = Set(slow.map { Key(began: $0.began, id: $0.id) })
        for report in slow where !known.contains(Key(began: report.began, id: report.id)) {
            slot[.slow] += 1
            log.warning(
                "a request is slow",
                metadata: [
                    "request_id": "\(report.id)", "method": "\(report.method)", "target": "\(report.target)",
                    "phase": "\(report.phaseDescription)", "elapsed_ms": "\((now - report.began) / 1_000_000)",
                    "database_us": "\(report.databaseMicroseconds)", "worker": "\(worker)",
                ])
        }
        known = keys
    }
}
