import Foundation
import Synchronization

/// Seconds of the monotonic clock.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func pause(_ seconds: Double) { if seconds > 0 { usleep(UInt32(seconds * 1e6)) } }

/// Waits until something is so, no longer than `limit` seconds.
/// - Returns: whether it came true.
@discardableResult
func waitFor(_ limit: Double, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = now() + limit
    while try !condition() {
        guard now() < end else { return false }
        pause(0.01)
    }
    return true
}

/// Whether the user asked this program to end. Set by a signal handler, which may do no more than that.
let isInterrupted = Atomic<Bool>(false)

func endOnSignals() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
        signal(number) { _ in isInterrupted.store(true, ordering: .relaxed) }
    }
    signal(SIGPIPE, SIG_IGN)
}

/// Threads that run until they return, and can be waited for.
final class Threads: Sendable {
    private let running = Atomic<Int>(0)

    func start(_ body: @escaping @Sendable () -> Void) {
        running.add(1, ordering: .acquiringAndReleasing)
        Thread {
            body()
            self.running.subtract(1, ordering: .acquiringAndReleasing)
        }.start()
    }

    /// Waits until all have returned.
    /// - Returns: whether they have, within `limit` seconds.
    func join(_ limit: Double) -> Bool { waitFor(limit) { running.load(ordering: .acquiring) == 0 } }
}

extension Double {
    /// With two digits behind the point.
    var rounded2: String { String(format: "%.2f", self) }
}
