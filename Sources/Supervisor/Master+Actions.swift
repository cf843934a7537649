import EventLoop
import Glibc
import Scoreboard

/// Carries out the actions that the fleet decides on.
extension Master {
    /// Performs an action.
    /// - Returns: The event that the action causes immediately, such as `spawned`; `nil` when there is none.
    func perform(_ action: Fleet.Action) -> Fleet.Event? {
        switch action {
        case .spawn(let id, let generation): return spawn(id, generation)
        case .drain(let id): processes[id]?.drain()
        case .kill(let id): processes[id]?.signal(SIGKILL)
        case .abort(let id): processes[id].map { $0.abort(thread: scoreboard.slot($0.slot)[.thread]) }
        case .schedule(let timer, let time): loop.schedule(at: time) { [weak self] in self?.handle(.timer(timer)) }
        case .forgetEnvironment(let generation): environments[generation] = nil
        case .check: return startCheck()
        case .endCheck: endCheck()
        case .execute: return .executeFailed(reason: "\(inheritance.execute())")
        case .notify(let message): notifier.send(message)
        case .stopListening: onStop()
        case .report(let notice): report(notice)
        case .finish(let outcome): finished.resume(returning: outcome)
        }
        return nil
    }

    private func spawn(_ id: Fleet.Worker.ID, _ generation: Int) -> Fleet.Event {
        do {
            let usedSlots = Set(processes.values.map(\.slot))
            guard let slot = (1..<SharedScoreboard.capacity).first(where: { !usedSlots.contains($0) }) else {
                return .spawnFailed(
                    id, reason: "there are already \(usedSlots.count) workers: the scoreboard has no free slot")
            }
            processes[id] = try WorkerProcess(
                options.command, environment: environment(of: generation), listener: listener,
                scoreboard: scoreboard.descriptor,
                slot: slot, generation: generation, on: loop
            ) { [unowned self] in handle($0 == .ready ? .ready(id) : .crashed(id)) }
            return .spawned(id)
        } catch {
            return .spawnFailed(id, reason: "\(error)")
        }
    }

    /// Returns the environment of a generation's workers. The environment is determined when this master first starts a
    /// worker of the generation.
    private func environment(of generation: Int) throws -> [String: String] {
        if let environment = environments[generation] { return environment }
        let environment = try options.environment()
        environments[generation] = environment
        return environment
    }

    // MARK: Re-execution

    private func startCheck() -> Fleet.Event? {
        do {
            check = try CheckProcess(options.check.command, environment: options.check.environment)
            return nil
        } catch {
            return .checked(problem: "\(error)")
        }
    }

    /// Kills the process group of the check: the check process and its children. The master then ignores the result of
    /// that process when reaping it.
    private func endCheck() {
        if let check { kill(-check.pid, SIGKILL) }
        check = nil
    }

    private var inheritance: Inheritance {
        Inheritance(
            listener: listener, status: statusListener, scoreboard: scoreboard.descriptor, generation: fleet.generation,
            target: fleet.target, events: events,
            workers: fleet.workers.compactMap { worker in
                processes[worker.id].map {
                    Inheritance.Worker(
                        pid: $0.pid, generation: $0.generation, slot: $0.slot, isDraining: worker.state != .ready)
                }
            })
    }
}
