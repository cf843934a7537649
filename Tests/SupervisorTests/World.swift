import EventLoop
import TestSupport

@testable import Supervisor

/// Processes, signals and timers in virtual time, as a fleet finds them; it notes what must never be.
struct World {
    private struct Process {
        let generation: Int
        var isServing = false
        var terminations = 0
        /// When it ends on its own account, once it was told to.
        var endsAt: Instant?
    }

    private(set) var fleet: Fleet
    private(set) var now: Instant
    private var random: SeededGenerator
    private var processes: [Fleet.Worker.ID: Process] = [:]
    /// The last one is the next.
    private var timers: [(at: Instant, event: Fleet.Event)] = []
    private var check: Instant?
    private(set) var outcome: Fleet.Outcome?
    private(set) var violations: [String] = []
    /// What happened, for whoever must understand a failure.
    private(set) var history: [String] = []
    private let isRecording: Bool
    private var wasHealthy = false
    private var mostWanted: Int
    /// How likely it is, in percent, that whatever may fail does.
    var faults: Int

    static let options = Fleet.Options(workers: 2)

    init(seed: UInt64, faults: Int, at now: Instant, isRecording: Bool) {
        self.isRecording = isRecording
        random = SeededGenerator(seed: seed)
        (self.faults, self.now) = (faults, now)
        var options = World.options
        options.workers = Int.random(in: 1...4, using: &random)
        fleet = Fleet(options, at: now)
        mostWanted = options.workers
        deliver(.started)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func soon(_ limit: Int) -> Instant {
        now.advanced(by: .milliseconds(Int.random(in: 0..<limit, using: &random)))
    }

    private mutating func plan(_ event: Fleet.Event, at time: Instant) {
        var place = timers.count
        while place > 0, timers[place - 1].at.nanoseconds <= time.nanoseconds { place -= 1 }
        timers.insert((time, event), at: place)
    }

    // MARK: What the fleet does

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
        if outcome != nil { violations.append("\(action) after the end") }
        switch action {
        case .spawn(let id, let generation):
            if chance(faults / 4) { return .spawnFailed(id, reason: "no such program") }
            if processes[id] != nil { violations.append("\(id) is started twice") }
            processes[id] = Process(generation: generation)
            // Not at all, when it hangs.
            if !chance(faults / 4) {
                plan(chance(faults) ? .exited(id, isClean: chance(50)) : .ready(id), at: soon(3000))
            }
            return .spawned(id)
        case .drain(let id): terminate(id)
        case .kill(let id), .abort(let id): end(id, at: soon(100))
        case .schedule(let timer, let time): plan(.timer(timer), at: time)
        case .check:
            if check != nil { violations.append("two checks at a time") }
            check = soon(2000)
            if !chance(faults / 4) {
                plan(.checked(problem: chance(faults) ? "LOG_LEVEL" : nil), at: soon(2000))
            }
        case .endCheck: check = nil
        case .execute: return execute()
        case .finish(let outcome):
            if !processes.isEmpty { violations.append("it ends before its workers: \(processes.keys)") }
            self.outcome = outcome
        case .report(.ready): wasHealthy = true
        case .tell, .stopListening, .report: break
        }
        return nil
    }

    private mutating func terminate(_ id: Fleet.Worker.ID) {
        guard processes[id] != nil else { return violations.append("\(id) is told to end, and is no process") }
        processes[id]?.terminations += 1
        if processes[id]?.terminations != 1 { violations.append("\(id) is told to drain twice") }
        // One that hangs must be killed.
        if !chance(faults / 4) { end(id, at: soon(chance(20) ? 60_000 : 2000)) }
    }

    private mutating func end(_ id: Fleet.Worker.ID, at time: Instant) {
        guard processes[id] != nil else { return violations.append("\(id) is ended, and is no process") }
        plan(.exited(id, isClean: chance(50)), at: time)
    }

    /// Another program takes over, with what is inherited of this one's state.
    private mutating func execute() -> Fleet.Event? {
        check = nil
        if chance(faults) { return .executeFailed(reason: "no such program") }
        let heirs = fleet.workers.map {
            Fleet.Worker(
                id: $0.id, generation: $0.generation, started: now,
                state: $0.state == .ready ? .ready : .draining(wasReady: true))
        }
        if fleet.workers.contains(where: \.isStarting) { violations.append("a starting worker was handed over") }
        var next = Fleet(
            fleet.options, adopting: heirs, target: fleet.target, generation: fleet.generation, at: now)
        next.nextID = fleet.nextID
        fleet = next
        timers = timers.filter { if case .exited = $0.event { true } else { false } }
        for id in heirs.map(\.id) where processes[id]?.terminations == 0 && self.fleet[id] != .ready {
            processes[id]?.terminations = 1
        }
        return .started
    }

    // MARK: Time

    /// Lets time pass until the next timer or the end of a process, or for `limit`.
    mutating func pass(_ limit: Duration) {
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

    /// Does something that nobody asked for.
    mutating func disturb(stops: Bool) {
        let victims = processes.keys.sorted()
        let serving = victims.filter { processes[$0]?.isServing == true }
        switch Int.random(in: 0..<14, using: &random) {
        case 0, 1: deliver(.signal(.reload))
        case 2: deliver(.signal(.execute))
        case 3: if fleet.target < 6 { deliver(.signal(.oneMore)) }
        case 4: deliver(.signal(.oneLess))
        case 5: if chance(20) { deliver(.signal(.none)) }
        case 6, 7: if let id = victims.randomElement(using: &random) { occur(.exited(id, isClean: chance(50))) }
        case 8:
            if let id = victims.randomElement(using: &random) {
                deliver(.crashed(id))
                if !chance(faults / 4), processes[id] != nil { end(id, at: soon(5000)) }
            }
        case 9: if let id = serving.randomElement(using: &random) { deliver(.stuck(id)) }
        case 10, 11: if let id = serving.randomElement(using: &random) { deliver(.worn(id)) }
        case 12: if stops, chance(30) { deliver(.signal(chance(80) ? .stop : .interrupt)) }
        default: if chance(50) { faults = chance(50) ? 0 : 60 }
        }
    }

    // MARK: What must be

    private mutating func examine() {
        mostWanted = max(mostWanted, fleet.target)
        let known = Set(fleet.workers.map(\.id))
        for id in processes.keys where !known.contains(id) { violations.append("worker \(id) is forgotten") }
        for worker in fleet.workers where worker.state != .spawning && processes[worker.id] == nil {
            violations.append("worker \(worker.id) is no process, and is taken for one")
        }
        if !fleet.isStopping, fleet.running.count > mostWanted + 1 {
            violations.append("there are \(fleet.running.count) workers, of at most \(mostWanted)")
        }
        if fleet.state == .serving || fleet.state == .starting { mostWanted = max(fleet.target, fleet.running.count) }
        if outcome == .gaveUp, wasHealthy { violations.append("it gave up after it had served") }
    }

    mutating func expect(_ condition: Bool, _ what: String) { if !condition { violations.append(what) } }

    /// How many of the generation serve.
    func serving(of generation: Int) -> Int { processes.values.count { $0.isServing && $0.generation == generation } }
    var serving: Int { processes.values.count { $0.isServing } }
    var processCount: Int { processes.count }
}
