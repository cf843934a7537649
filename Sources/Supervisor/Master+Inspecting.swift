import EventLoop
import Glibc
import Scoreboard

/// What the master looks at all the time.
extension Master {
    static let inspectionInterval = Duration.milliseconds(250)

    /// Looks at the workers, and does so again in a moment.
    func inspect() {
        loop.schedule(at: Instant.now.advanced(by: Master.inspectionInterval)) { [weak self] in self?.inspect() }
        events.peakQueueLength = max(events.peakQueueLength, status.queue?.length ?? 0)
        events.peakActiveWorkers = max(
            events.peakActiveWorkers, processes.values.count { scoreboard.slot($0.slot)[.active] > 0 })
        for worker in fleet.workers { inspect(worker) }
    }

    private func inspect(_ worker: Fleet.Worker) {
        guard let process = processes[worker.id] else { return }
        let slot = scoreboard.slot(process.slot)
        if worker.isServing {
            process.slowRequests.look(at: slot, of: process.pid, longerThan: options.slowRequest, log: log)
        }
        guard worker.state == .ready else { return }
        if process.hasNotTurned(since: slot[.lastTurn]) >= options.stuckAfter {
            handle(.stuck(worker.id))
        } else if isWorn(process, slot) {
            handle(.worn(worker.id))
        }
    }

    private func isWorn(_ process: WorkerProcess, _ slot: Slot) -> Bool {
        if let limit = options.maxRequests, slot[.requests] >= limit + limit * process.jitter / 1000 { return true }
        return options.maxMemory.map { slot[.memory] > $0 } ?? false
    }
}

extension RequestActivity.Report {
    /// What it is and what it waits for, for a log: without a value of anybody's.
    public var summary: String {
        let what = method.isEmpty ? "a request" : "\(method) \(target)"
        return "\(what): \(doing), for \((Int(Instant.now.nanoseconds) - began) / 1_000_000) ms"
    }

    /// What it does now.
    public var doing: String {
        switch phase {
        case .reading: "reading"
        case .working: "working"
        case .waitingForConnection: "waiting for a connection"
        case .inQuery: "in query \(query)"
        case .writing: "writing"
        }
    }
}
