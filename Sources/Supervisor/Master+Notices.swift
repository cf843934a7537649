import Logging
import Scoreboard

/// Logs and counts the fleet's notices.
extension Master {
    func report(_ notice: Fleet.Notice) {
        switch notice {
        case .ready(let id): log.info("a worker is ready", metadata: about(id, includingGeneration: true))
        case .respawning: events.respawns += 1
        case .crashed(let id):
            events.crashes += 1
            log.error("a worker crashed", metadata: about(id))
        case .stuck(let id): reportStuck(id)
        case .notReadyInTime(let id):
            log.error("a worker was not ready within the startup timeout, and is killed", metadata: about(id))
        case .notDrainedInTime(let id):
            log.warning("a worker did not drain within the graceful timeout, and is killed", metadata: about(id))
        case .recycling(let id): reportRecycling(id)
        case .recycled: events.recycled += 1
        case .recyclingFailed: log.error("a worker could not be recycled: the new one did not become ready")
        case .ended(let id): reportEnd(id, isExpected: true)
        case .died(let id, let whileServing):
            if whileServing { events.crashes += 1 }
            reportEnd(id, isExpected: false)
        case .spawnFailed(let reason): log.error("a worker could not be started: \(reason)")
        case .reloaded(let generation): reportReload(generation)
        case .reloadFailed(let problem, let generation): reportFailedReload(problem, generation)
        case .executing: log.info("the master re-executes itself")
        case .resized(let count): log.info("the number of workers was changed", metadata: ["count": "\(count)"])
        case .stopping: log.info("the master is stopping", metadata: ["workers": "\(processes.count)"])
        }
    }

    private func about(_ id: Fleet.Worker.ID, includingGeneration includesGeneration: Bool = false) -> Logger.Metadata {
        guard let process = processes[id] else { return [:] }
        var metadata: Logger.Metadata = ["worker": "\(process.pid)"]
        if includesGeneration { metadata["generation"] = "\(process.generation)" }
        return metadata
    }

    private func reportEnd(_ id: Fleet.Worker.ID, isExpected: Bool) {
        guard let process = processes[id], let status = process.exit else { return }
        let backtrace = process.backtrace
        var metadata = about(id)
        metadata["status"] = "\(status)"
        if isExpected, backtrace == nil { return log.info("a worker has ended", metadata: metadata) }
        metadata["backtrace"] = backtrace.map { "\($0)" }
        log.error("a worker died", metadata: metadata)
    }

    private func reportReload(_ generation: Int) {
        events.reloadEnded(nil)
        environments = environments.filter { $0.key == generation }
        log.info("the reload is complete", metadata: ["generation": "\(generation)"])
    }

    private func reportFailedReload(_ problem: String, _ generation: Int) {
        events.reloadEnded(problem)
        environments = environments.filter { $0.key <= generation }
        log.error("the reload failed, and the old workers keep running: \(problem)")
    }

    private func reportStuck(_ id: Fleet.Worker.ID) {
        events.stuck += 1
        guard let process = processes[id] else { return }
        let slot = scoreboard.slot(process.slot)
        let doing = slot.activeRequests.sorted { $0.began < $1.began }.prefix(3).map(\.summary).joined(separator: "; ")
        log.error(
            "a worker is stuck, and is replaced",
            metadata: ["worker": "\(process.pid)", "requests": "\(slot[.active])", "doing": "\(doing)"])
    }

    private func reportRecycling(_ id: Fleet.Worker.ID) {
        guard let process = processes[id] else { return }
        let slot = scoreboard.slot(process.slot)
        log.info(
            "recycling a worker",
            metadata: [
                "worker": "\(process.pid)", "requests": "\(slot[.requests])", "memory_bytes": "\(slot[.memory])",
            ])
    }
}
