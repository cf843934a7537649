import Foundation
import Synchronization

/// The time of the monotonic clock, in seconds.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func pause(_ seconds: Double) { if seconds > 0 { usleep(UInt32(seconds * 1e6)) } }

/// Waits until a condition becomes true, for up to `limit` seconds.
/// - Returns: whether it became true.
@discardableResult
func waitFor(_ limit: Double, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = now() + limit
    while try !condition() {
        guard now() < end else { return false }
        pause(0.01)
    }
    return true
}

/// Whether a signal has asked this program to stop. Set by a signal handler, in which hardly anything else is safe.
let isInterrupted = Atomic<Bool>(false)

func endOnSignals() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
        signal(number) { _ in isInterrupted.store(true, ordering: .relaxed) }
    }
    signal(SIGPIPE, SIG_IGN)
}

/// A group of threads that can be joined.
final class Threads: Sendable {
    private let running = Atomic<Int>(0)

    func start(_ body: @escaping @Sendable () -> Void) {
        running.add(1, ordering: .acquiringAndReleasing)
        Thread {
            body()
            self.running.subtract(1, ordering: .acquiringAndReleasing)
        }.start()
    }

    /// Waits until all threads have returned.
    /// - Returns: whether they have within `limit` seconds.
    func join(_ limit: Double) -> Bool { waitFor(limit) { running.load(ordering: .acquiring) == 0 } }
}

extension Double {
    /// The number with two decimals.
    var rounded2: String { String(format: "%.2f", self) }
}
