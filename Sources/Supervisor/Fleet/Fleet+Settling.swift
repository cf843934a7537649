import EventLoop

/// The next step towards what there should be.
extension Fleet {
    mutating func settle() {
        takeRequest()
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

    /// Begins what was asked for. A worker that is being recycled does not delay it.
    private mutating func takeRequest() {
        switch state {
        case .serving, .recycling: break
        default: return
        }
        if requests.remove(.execute) != nil {
            state = .checking
            actions.append(.check)
            checks += 1
            schedule(.check(checks), after: options.checkTimeout)
        } else if requests.remove(.reload) != nil {
            state = .reloading(old: Set(running.map(\.id)))
            generation += 1
            backoff.succeeded()
            actions.append(.tell(.reloading))
        }
    }

    // MARK: As many as there should be

    private mutating func startMissing() {
        guard running.count < target, !workers.contains(where: { $0.state == .spawning }) else { return }
        if state == .starting, backoff.failures >= max(target, 1) {
            stop(.gaveUp)
            return settle()
        }
        if let start = backoff.startsFrom, start > now {
            if let wakesAt, wakesAt <= start { return }
            wakesAt = start
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

    /// Ends what is too much: first those that do not serve yet, then the newest.
    private mutating func endExcess() {
        let excess = running.count - target
        guard excess > 0 else { return }
        let candidates = running.filter(\.isStarting) + running.filter { !$0.isStarting }.reversed()
        for worker in candidates.prefix(excess) { drain(worker.id) }
    }

    // MARK: Replacing

    /// Starts a new worker, and drains an old one when as many others are ready; one at a time, until none of the old ones is
    /// left.
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
            report(.reloaded)
            actions.append(.tell(.ready))
        }
        state = .serving
        settle()
    }

    // MARK: The end

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
