import EventLoop
import Glibc
import Scoreboard

/// What the master looks at all the time.
extension Master {
    static let inspectionInterval = Duration.milliseconds(250)

    /// Looks at the workers, and does so again in a moment.
    func inspect() {
        loop.schedule(at: Instant.now.advanced(by: Master.inspectionInterval)) { [weak self] in self?.inspect() }
        events.mostQueued = max(events.mostQueued, status.queue?.waiting ?? 0)
        events.mostActive = max(events.mostActive, workers.count { board.slot($0.slot)[.active] > 0 })
        for worker in workers where worker.isReady && worker.exit == nil {
            let slot = board.slot(worker.slot)
            worker.slowRequests.look(at: slot, of: worker.pid, longerThan: options.slowRequest, log: log)
            if !worker.isEnding, worker.hasNotTurned(since: slot[.lastTurn]) >= options.stuckAfter {
                replaceStuck(worker, slot)
            }
        }
        recycle()
    }

    /// Ends a worker that something blocks, by the signal that has it tell where, and starts another.
    private func replaceStuck(_ worker: WorkerProcess, _ slot: Slot) {
        events.stuck += 1
        let doing = slot.underWay.sorted { $0.began < $1.began }.prefix(3).map(\.summary).joined(separator: "; ")
        log.error(
            "a worker is stuck, and is replaced",
            metadata: ["worker": "\(worker.pid)", "requests": "\(slot[.active])", "doing": "\(doing)"])
        worker.abort(thread: slot[.thread], on: loop)
        maintain()
    }

    // MARK: Recycling

    /// Replaces one worker that has answered enough requests, or that has grown too large; the next one when that is done.
    private func recycle() {
        guard !isRecycling, !isStopping, !isReloading, let worker = workers.first(where: { isWorn($0) }) else { return }
        isRecycling = true
        let slot = board.slot(worker.slot)
        log.info(
            "recycling a worker",
            metadata: [
                "worker": "\(worker.pid)", "requests": "\(slot[.requests])", "memory_bytes": "\(slot[.memory])",
            ])
        Task(executorPreference: loop) {
            if await self.replace(worker) {
                self.events.recycled += 1
            } else {
                try? await self.loop.sleep(for: .seconds(10))
            }
            self.isRecycling = false
        }
    }

    private func isWorn(_ worker: WorkerProcess) -> Bool {
        guard worker.isReady, !worker.isEnding, worker.exit == nil else { return false }
        let slot = board.slot(worker.slot)
        if let limit = options.maxRequests, slot[.requests] >= limit + limit * worker.jitter / 1000 { return true }
        return options.maxMemory.map { slot[.memory] > $0 } ?? false
    }

    /// Starts another worker, and drains this one when that is ready.
    /// - Returns: whether it was.
    private func replace(_ worker: WorkerProcess) async -> Bool {
        isStartingSpare = true
        let spare = spawn()
        let isReady = await spare?.becomesReady(within: options.startupTimeout, on: loop) ?? false
        isStartingSpare = false
        guard isReady, let spare else {
            log.error("a worker could not be recycled: the new one did not get ready")
            spare?.killNow()
            return false
        }
        becameReady(spare)
        await drain(worker)
        return true
    }
}

extension Activity.Report {
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
