import EventLoop

/// Reactions to events of a single worker.
extension Fleet {
    mutating func spawned(_ id: Worker.ID) {
        guard self[id] == .spawning else { return }
        self[id] = .starting
        beginStartupTimeout(id)
    }

    /// Gives a starting worker the whole startup timeout from now on.
    mutating func beginStartupTimeout(_ id: Worker.ID) {
        guard let index = workers.firstIndex(where: { $0.id == id }) else { return }
        workers[index].startupDeadline = now.advanced(by: options.startupTimeout)
        schedule(.startup(id), after: options.startupTimeout)
    }

    mutating func spawnFailed(_ id: Worker.ID, _ reason: String) {
        guard self[id] == .spawning else { return }
        workers.removeAll { $0.id == id }
        report(.spawnFailed(reason: reason))
        failedToStart(id, reason)
    }

    mutating func ready(_ id: Worker.ID) {
        switch self[id] {
        case .starting:
            self[id] = .ready
            backoff.succeeded()
            report(.ready(id))
            guard state == .starting else { return }
            state = .serving
            actions.append(.notify(.ready))
        case .draining: self[id] = .draining(wasReady: true)
        default: break
        }
    }

    mutating func crashed(_ id: Worker.ID) {
        guard let worker = workers.first(where: { $0.id == id }), worker.isRunning else { return }
        self[id] = .crashed
        scheduleKill(id, after: options.gracefulTimeout)
        guard worker.state == .ready else { return failedToStart(id, "a new worker did not get ready") }
        report(.crashed(id))
        backoff.died(after: now.duration(since: worker.started), at: now)
    }

    mutating func exited(_ id: Worker.ID, _ isClean: Bool) {
        guard let index = workers.firstIndex(where: { $0.id == id }) else { return }
        let worker = workers.remove(at: index)
        switch worker.state {
        case .spawning, .starting:
            report(.died(id, whileServing: false))
            failedToStart(id, "a new worker did not get ready")
        case .ready:
            // A clean exit is not a crash: another process has asked the worker to drain.
            report(isClean ? .ended(id) : .died(id, whileServing: true))
            backoff.died(after: now.duration(since: worker.started), at: now)
        case .crashed, .aborted: report(.died(id, whileServing: false))
        case .draining, .killed: report(.ended(id))
        }
    }

    mutating func stuck(_ id: Worker.ID) {
        guard self[id] == .ready else { return }
        self[id] = .aborted
        report(.stuck(id))
        actions.append(.abort(id))
        scheduleKill(id, after: options.abortTimeout)
    }

    mutating func recyclingDue(_ id: Worker.ID) {
        guard state == .serving, pendingRequests.isEmpty, self[id] == .ready, nextRecyclingAt.map({ $0 <= now }) ?? true
        else {
            return
        }
        state = .recycling(old: id)
        report(.recycling(id))
    }

    /// Records that a worker failed to start. When that worker was a replacement, the reload or recycling is aborted
    /// and the old workers keep running.
    mutating func failedToStart(_ id: Worker.ID, _ reason: String) {
        backoff.failed(at: now)
        switch state {
        case .reloading(let old) where !old.contains(id):
            generation -= 1
            for worker in workers where worker.state == .starting && !old.contains(worker.id) { drain(worker.id) }
            failReload(reason)
            actions.append(.notify(.ready))
        case .recycling(let old) where old != id:
            state = .serving
            nextRecyclingAt = now.advanced(by: options.recyclingPause)
            report(.recyclingFailed)
        default: break
        }
    }

    // MARK: Ending a worker

    /// Asks a worker to drain. Has no effect unless the worker's state is `starting` or `ready`.
    mutating func drain(_ id: Worker.ID) {
        guard let state = self[id], state == .starting || state == .ready else { return }
        self[id] = .draining(wasReady: state == .ready)
        actions.append(.drain(id))
        scheduleKill(id, after: options.gracefulTimeout)
    }

    mutating func kill(_ id: Worker.ID) {
        self[id] = .killed
        actions.append(.kill(id))
    }

    mutating func scheduleKill(_ id: Worker.ID, after time: Duration) { schedule(.kill(id), after: time) }
}
