import Synchronization

/// Measures the scheduling delay of this program's own threads. A busy machine delays the threads of the service by a
/// similar time.
final class Noise: Sendable {
    private let isOver = Atomic<Bool>(false)
    private let threads = Threads()
    private let worst = Mutex(0.0)

    init() {
        threads.start { [self] in
            while !isOver.load(ordering: .relaxed) {
                let began = now()
                pause(0.005)
                let late = now() - began - 0.005
                worst.withLock { $0 = max($0, late) }
            }
        }
    }

    /// Stops, and returns the longest delay, in seconds.
    func stop() -> Double {
        isOver.store(true, ordering: .relaxed)
        return worst.withLock { $0 }
    }
}
