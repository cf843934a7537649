import EventLoop

/// How long to wait before a worker is started in place of one that died: not at all after one that had served for a while, and
/// longer and longer after ones that never did.
struct StartBackoff {
    /// How many in a row ended before they were ready.
    private(set) var failures = 0
    private var isShort = false

    /// 0, or 100 ms after one that died soon, twice as long after each one that never was ready, 10 s at most.
    var pause: Duration {
        failures > 0 ? .milliseconds(min(10_000, 100 << min(failures - 1, 7))) : isShort ? .milliseconds(100) : .zero
    }

    mutating func failed() { failures += 1 }

    mutating func ended(_ worker: WorkerProcess) {
        guard !worker.isEnding || worker.hasCrashed else { return }
        if worker.isReady { isShort = Instant.now.duration(since: worker.started) < .seconds(1) } else { failures += 1 }
    }

    mutating func reset() { failures = 0 }
}
