import EventLoop
import TestSupport

@testable import Supervisor

/// A simulation of the environment of a fleet (processes, signals and timers) in virtual time, which records violations
/// of the fleet's invariants.
struct FleetSimulation {
    private struct Process {
        let generation: Int
        var isServing = false
        var terminations = 0
    }

    private(set) var fleet: Fleet
    private(set) var now: Instant
    private var random: SeededGenerator
    private var processes: [Fleet.Worker.ID: Process] = [:]
    /// The scheduled events, with the earliest one last.
    private var timers: [(at: Instant, event: Fleet.Event)] = []
    private var check: Instant?
    private(set) var outcome: Fleet.Outcome?
    private(set) var violations: [String] = []
    /// A log of events and actions, to analyze a failure.
    private(set) var history: [String] = []
    private let isRecording: Bool
    private var wasHealthy = false
    private var maxExpectedWorkers: Int
    /// The probability of faults, in percent.
    var faultPercentage: Int

    static let options = Fleet.Options(workers: 2)

    init(seed: UInt64, faultPercentage: Int, at now: Instant, isRecording: Bool) {
        self.isRecording = isRecording
        random = SeededGenerator(seed: seed)
        (self.faultPercentage, self.now) = (faultPercentage, now)
        var options = FleetSimulation.options
        options.workers = Int.random(in: 1...4, using: &random)
        fleet = Fleet(options, at: now)
        maxExpectedWorkers = options.workers
        deliver(.started)
    }

    private mutating func chance(ofPercent percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func instant(within limit: Int) -> Instant {
        now.advanced(by: .milliseconds(Int.random(in: 0..<limit, using: &random)))
    }

    private mutating func schedule(_ event: Fleet.Event, at time: Instant) {
        var index = timers.count
        while index > 0, timers[index - 1].at.nanoseconds <= time.nanoseconds { index -= 1 }
        timers.insert((time, event), at: index)
    }

    // MARK: Performing actions

    mutating func deliver(_ event: Fleet.Event) {
        var events = [event]
        while !events.isEmpty {
            let event = events.removeFirst()
            if isRecording { history.append("\(now.nanoseconds / 1_000_000) \(event)") }
            for action in fleet.handle(event, at: now) {
                if isRecording { history.append("        \(action)") }
                if let event = perform(action) { events.append(event) }
            }
        }
        examine()
    }

    private mutating func perform(_ action: Fleet.Action) -> Fleet.Event? {
        if outcome != nil { violations.append("\(action) after the fleet has finished") }
        switch action {
        case .spawn(let id, let generation):
            if chance(ofPercent: faultPercentage / 4) { return .spawnFailed(id, reason: "no such program") }
            if processes[id] != nil { violations.append("\(id) is started twice") }
            processes[id] = Process(generation: generation)
            if chance(ofPercent: 20) { schedule(.preparing(id), at: instant(within: 3000)) }
            // No event when the worker hangs.
            if !chance(ofPercent: faultPercentage / 4) {
                schedule(
                    chance(ofPercent: faultPercentage) ? .exited(id, isClean: chance(ofPercent: 50)) : .ready(id),
                    at: instant(within: 3000))
            }
            return .spawned(id)
        case .drain(let id): terminate(id)
        case .kill(let id), .abort(let id): end(id, at: instant(within: 100))
        case .schedule(let timer, let time): schedule(.timer(timer), at: time)
        case .check:
            if check != nil { violations.append("two checks are running") }
            check = instant(within: 2000)
            if !chance(ofPercent: faultPercentage / 4) {
                schedule(
                    .checked(problem: chance(ofPercent: faultPercentage) ? "LOG_LEVEL" : nil), at: instant(within: 2000)
                )
            }
        case .endCheck: check = nil
        case .execute: return execute()
        case .finish(let outcome):
            if !processes.isEmpty { violations.append("the fleet finishes before its workers: \(processes.keys)") }
            self.outcome = outcome
        case .report(.ready): wasHealthy = true
        case .notify, .stopListening, .forgetEnvironment, .report: break
        }
        return nil
    }

    private mutating func terminate(_ id: Fleet.Worker.ID) {
        guard processes[id] != nil else { return violations.append("\(id) is asked to drain, but has no process") }
        processes[id]?.terminations += 1
        if processes[id]?.terminations != 1 { violations.append("\(id) is asked to drain twice") }
        // A worker that hangs has to be killed.
        if !chance(ofPercent: faultPercentage / 4) {
            end(id, at: instant(within: chance(ofPercent: 20) ? 60_000 : 2000))
        }
    }

    private mutating func end(_ id: Fleet.Worker.ID, at time: Instant) {
        guard processes[id] != nil else { return violations.append("\(id) is killed, but has no process") }
        schedule(.exited(id, isClean: chance(ofPercent: 50)), at: time)
    }

    /// Simulates the re-execution of the master, which fails or creates a new fleet that inherits the workers.
    private mutating func execute() -> Fleet.Event? {
        check = nil
        if chance(ofPercent: faultPercentage) { return .executeFailed(reason: "no such program") }
        let inheritedWorkers = fleet.workers.map {
            Fleet.Worker(
                id: $0.id, generation: $0.generation, started: now,
                state: $0.state == .ready ? .ready : .draining(wasReady: true))
        }
        if fleet.workers.contains(where: \.isStarting) { violations.append("a starting worker was handed over") }
        var next = Fleet(
            fleet.options, adopting: inheritedWorkers, target: fleet.target, generation: fleet.generation, at: now)
        next.nextID = fleet.nextID
        fleet = next
        timers = timers.filter { if case .exited = $0.event { true } else { false } }
        for id in inheritedWorkers.map(\.id) where processes[id]?.terminations == 0 && self.fleet[id] != .ready {
            processes[id]?.terminations = 1
        }
        return .started
    }

    // MARK: Time

    /// Advances the virtual time by `limit` and delivers the events that are due.
    mutating func advance(by limit: Duration) {
        let end = now.advanced(by: limit)
        while let next = timers.last, next.at <= end {
            let (time, event) = timers.removeLast()
            now = max(now, time)
            occur(event)
        }
        now = max(now, end)
    }

    private mutating func occur(_ event: Fleet.Event) {
        switch event {
        case .exited(let id, _):
            guard processes.removeValue(forKey: id) != nil else { return }
            timers.removeAll { timer in
                switch timer.event {
                case .ready(id), .crashed(id), .exited(id, _): true
                default: false
                }
            }
        case .ready(let id):
            guard processes[id] != nil else { return }
            processes[id]?.isServing = true
        case .checked:
            guard check != nil else { return }
            check = nil
        default: break
        }
        deliver(event)
    }

    /// Causes one random disturbance or none, such as a signal or the death of a worker. The fleet is told to stop only
    /// if `stops` is true.
    mutating func disturb(stops: Bool) {
        let victims = processes.keys.sorted()
        let serving = victims.filter { processes[$0]?.isServing == true }
        switch Int.random(in: 0..<14, using: &random) {
        case 0, 1: deliver(.signal(.reload))
        case 2: deliver(.signal(.execute))
        case 3: if fleet.target < 6 { deliver(.signal(.addWorker)) }
        case 4: deliver(.signal(.removeWorker))
        case 5: if chance(ofPercent: 20) { deliver(.signal(.removeAllWorkers)) }
        case 6, 7:
            if let id = victims.randomElement(using: &random) { occur(.exited(id, isClean: chance(ofPercent: 50))) }
        case 8:
            if let id = victims.randomElement(using: &random) {
                deliver(.crashed(id))
                if !chance(ofPercent: faultPercentage / 4), processes[id] != nil { end(id, at: instant(within: 5000)) }
            }
        case 9: if let id = serving.randomElement(using: &random) { deliver(.stuck(id)) }
        case 10, 11: if let id = serving.randomElement(using: &random) { deliver(.recyclingDue(id)) }
        case 12: if stops, chance(ofPercent: 30) { deliver(.signal(chance(ofPercent: 80) ? .stop : .interrupt)) }
        default: if chance(ofPercent: 50) { faultPercentage = chance(ofPercent: 50) ? 0 : 60 }
        }
    }

    // MARK: Invariants

    private mutating func examine() {
        maxExpectedWorkers = max(maxExpectedWorkers, fleet.target)
        let known = Set(fleet.workers.map(\.id))
        for id in processes.keys where !known.contains(id) {
            violations.append("worker \(id) is not known to the fleet")
        }
        for worker in fleet.workers where worker.state != .spawning && processes[worker.id] == nil {
            violations.append("worker \(worker.id) has no process, but the fleet assumes one")
        }
        if !fleet.isStopping, fleet.running.count > maxExpectedWorkers + 1 {
            violations.append("there are \(fleet.running.count) workers, of at most \(maxExpectedWorkers)")
        }
        if fleet.state == .serving || fleet.state == .starting {
            maxExpectedWorkers = max(fleet.target, fleet.running.count)
        }
        if outcome == .startupFailed, wasHealthy { violations.append("startup failed after a worker had been ready") }
    }

    mutating func expect(_ condition: Bool, _ what: String) { if !condition { violations.append(what) } }

    /// The number of workers of the generation that are serving.
    func serving(of generation: Int) -> Int { processes.values.count { $0.isServing && $0.generation == generation } }
    var serving: Int { processes.values.count { $0.isServing } }
    var processCount: Int { processes.count }
}
