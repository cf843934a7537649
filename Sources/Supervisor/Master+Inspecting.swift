import EventLoop
import Glibc
import Scoreboard

/// The periodic inspection of the workers.
extension Master {
    static let inspectionInterval = Duration.milliseconds(250)

    /// Inspects all workers, and schedules the next inspection.
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
            process.slowRequests.update(from: slot, of: process.pid, longerThan: options.slowRequest, log: log)
        }
        let stall = process.stallDuration(lastTurn: slot[.lastTurn])
        if worker.state == .starting, stall == .zero, slot[.lastTurn] != 0 {
            handle(.preparing(worker.id))
        } else if worker.state == .ready, stall >= options.stuckAfter {
            handle(.stuck(worker.id))
        } else if worker.state == .ready, isRecyclingDue(process, slot) {
            handle(.recyclingDue(worker.id))
        }
    }

    private func isRecyclingDue(_ process: WorkerProcess, _ slot: Slot) -> Bool {
        if let limit = options.maxRequests, slot[.requests] >= limit + limit * process.jitter / 1000 { return true }
        return options.maxMemory.map { slot[.memory] > $0 } ?? false
    }
}

extension RequestActivity.Report {
    /// A description of the request and its phase, for the log. Parameter values of SQL statements are not included.
    public var summary: String {
        let name = method.isEmpty ? "a request" : "\(method) \(target)"
        return "\(name): \(phaseDescription), for \((Int(Instant.now.nanoseconds) - began) / 1_000_000) ms"
    }

    /// The request's phase as text, including the SQL statement while one is running.
    public var phaseDescription: String {
        switch phase {
        case .reading: "reading"
        case .working: "working"
        case .waitingForConnection: "waiting for a connection"
        case .inQuery: "in query \(query)"
        case .writing: "writing"
        }
    }
}
