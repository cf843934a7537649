import EventLoop

/// Compares the actual workers with the desired ones, and takes the next step towards the desired state.
extension Fleet {
    mutating func reconcile() {
        beginPendingRequest()
        switch state {
        case .starting, .serving, .checking: endExcess()
        case .reloading(let old): replace(old)
        case .recycling(let old): replace([old])
        case .waitingToExecute: return executeWhenStarted()
        case .executing, .finished: return
        case .stopping(let outcome, let immediately): return endAll(outcome, immediately)
        }
        startMissing()
    }

    /// Begins a pending reload or re-execution. A recycling in progress is abandoned.
    private mutating func beginPendingRequest() {
        switch state {
        case .serving, .recycling: break
        default: return
        }
        if pendingRequests.remove(.execute) != nil {
            state = .checking
            actions.append(.check)
            checkNumber += 1
            schedule(.check(checkNumber), after: options.checkTimeout)
        } else if pendingRequests.remove(.reload) != nil {
            state = .reloading(old: Set(running.map(\.id)))
            generation += 1
            backoff.succeeded()
            actions.append(.notify(.reloading))
        }
    }

    // MARK: Number of workers

    private mutating func startMissing() {
        guard running.count < target, !workers.contains(where: { $0.state == .spawning }) else { return }
        if state == .starting, backoff.failures >= max(target, 1) {
            stop(.startupFailed)
            return reconcile()
        }
        if let start = backoff.nextStartAt, start > now {
            if let startTimerAt, startTimerAt <= start { return }
            startTimerAt = start
            actions.append(.schedule(.start, at: start))
        } else {
            if state != .starting { report(.respawning) }
            spawn()
        }
    }

    private mutating func spawn() {
        workers.append(Worker(id: nextID, generation: generation, started: now))
        actions.append(.spawn(nextID, generation: generation))
        nextID += 1
    }

    /// Drains excess workers: first starting workers, then the most recently started ready workers.
    private mutating func endExcess() {
        let excess = running.count - target
        guard excess > 0 else { return }
        let candidates = running.filter(\.isStarting) + running.filter { !$0.isStarting }.reversed()
        for worker in candidates.prefix(excess) { drain(worker.id) }
    }

    // MARK: Replacing

    /// Takes the next step in replacing the old workers one at a time: starts a new worker, or drains an old one when
    /// enough other workers are ready.
    private mutating func replace(_ old: Set<Worker.ID>) {
        for worker in workers where worker.state == .starting && old.contains(worker.id) { drain(worker.id) }
        guard !workers.contains(where: { $0.isDraining && old.contains($0.id) }) else { return }
        let new = running.filter { !old.contains($0.id) }
        if let next = running.first(where: { $0.state == .ready && old.contains($0.id) }) {
            if running.count(where: { $0.state == .ready }) > target {
                drain(next.id)
            } else if !new.contains(where: \.isStarting) {
                spawn()
            }
        } else if new.count(where: { $0.state == .ready }) >= target {
            replaced()
        }
    }

    private mutating func replaced() {
        if case .recycling = state {
            report(.recycled)
        } else {
            report(.reloaded(generation: generation))
            actions.append(.notify(.ready))
        }
        state = .serving
        reconcile()
    }

    // MARK: Re-execution and stopping

    private mutating func executeWhenStarted() {
        guard !workers.contains(where: \.isStarting) else { return }
        state = .executing
        report(.executing)
        actions.append(.execute)
    }

    private mutating func endAll(_ outcome: Outcome, _ immediately: Bool) {
        for worker in workers where worker.state != .killed && worker.state != .spawning {
            if immediately { kill(worker.id) } else { drain(worker.id) }
        }
        guard workers.isEmpty else { return }
        state = .finished
        actions.append(.finish(outcome))
    }
}
