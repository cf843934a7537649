import EventLoop

extension Fleet {
    /// Applies an event to the state.
    mutating func apply(_ event: Event) {
        switch event {
        case .started:
            for worker in workers where !worker.isRunning { scheduleKill(worker.id, after: options.gracefulTimeout) }
        case .signal(let signal): apply(signal)
        case .spawned(let id): spawned(id)
        case .spawnFailed(let id, let reason): spawnFailed(id, reason)
        case .preparing(let id): if self[id] == .starting { beginStartupTimeout(id) }
        case .ready(let id): ready(id)
        case .crashed(let id): crashed(id)
        case .exited(let id, let isClean): exited(id, isClean)
        case .stuck(let id): stuck(id)
        case .recyclingDue(let id): recyclingDue(id)
        case .checked(let problem): checked(problem)
        case .executeFailed(let reason): if state == .executing { failReload("cannot re-execute: \(reason)") }
        case .timer(let timer): apply(timer)
        }
    }

    private mutating func apply(_ signal: Signal) {
        if case .stopping(let outcome, _) = state {
            if signal == .interrupt { state = .stopping(outcome, immediately: true) }
            return
        }
        switch signal {
        case .stop, .interrupt: stop(.stopped)
        case .reload:
            if target == 0 { resize(to: options.workers) }
            // Earlier failures are unrelated to the program and the environment as they are now.
            if state == .starting {
                backoff.succeeded()
                actions.append(.forgetEnvironment(generation: generation))
            }
            pendingRequests.insert(.reload)
        case .execute: pendingRequests.insert(.execute)
        case .addWorker: resize(to: min(target + 1, Master.maxWorkers))
        case .removeWorker: if target > 1 { resize(to: target - 1) }
        case .removeAllWorkers: resize(to: 0)
        }
    }

    private mutating func apply(_ timer: Timer) {
        switch timer {
        case .start: startTimerAt = nil
        case .check(let number):
            guard state == .checking, number == checkNumber else { return }
            actions.append(.endCheck)
            failReload("the new program's --check timed out")
        case .startup(let id):
            guard let worker = workers.first(where: { $0.id == id }), worker.startupDeadline <= now else { return }
            if self[id] == .starting {
                report(.notReadyInTime(id))
                kill(id)
                failedToStart(id, "a new worker did not get ready")
            } else if self[id] == .draining(wasReady: false) {
                kill(id)
            }
        case .kill(let id):
            if case .draining = self[id] { report(.notDrainedInTime(id)) }
            if let state = self[id], state != .killed { kill(id) }
        }
    }

    private mutating func resize(to count: Int) {
        target = count
        report(.resized(count))
    }

    mutating func stop(_ outcome: Outcome) {
        if state == .checking { actions.append(.endCheck) }
        state = .stopping(outcome, immediately: false)
        report(.stopping)
        actions += [.notify(.stopping), .stopListening]
    }

    private mutating func checked(_ problem: String?) {
        guard state == .checking else { return }
        if let problem { failReload(problem) } else { state = .waitingToExecute }
    }

    /// Ends a reload or re-execution that has failed. The old workers keep running.
    mutating func failReload(_ problem: String) {
        state = .serving
        report(.reloadFailed(problem, generation: generation))
    }

    // MARK: Lookup

    /// The state of a worker; `nil` when there is no such worker any more.
    subscript(id: Worker.ID) -> Worker.State? {
        get { workers.first { $0.id == id }?.state }
        set {
            guard let newValue, let index = workers.firstIndex(where: { $0.id == id }) else { return }
            workers[index].state = newValue
        }
    }

    mutating func report(_ notice: Notice) { actions.append(.report(notice)) }

    mutating func schedule(_ timer: Timer, after pause: Duration) {
        actions.append(.schedule(timer, at: now.advanced(by: pause)))
    }
}
