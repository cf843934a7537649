import EventLoop
import TestSupport

@testable import Postgres

/// Everything around a `PoolState` in a random history: tasks that read and lease, a server that comes and goes, and a clock.
///
/// It carries the actions out and checks each of them against what it knows itself.
struct PoolWorld {
    /// What the world knows of a connection.
    struct Held {
        var reads = 0
        var isLeased = false
        var isRecovering = false
    }

    var state: PoolState
    let limit: Int
    var random: SeededGenerator
    var now = Instant.now
    private(set) var opening: Set<Int> = []
    private(set) var open: [Int: Held] = [:]
    private(set) var waitingReads: Set<Int> = []
    private(set) var waitingLeases: Set<Int> = []
    private(set) var retries: [Instant] = []
    private var lastWaiter = 0
    private(set) var violations: [String] = []
    /// How often a read and a lease were granted.
    private(set) var granted = (reads: 0, leases: 0)

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        limit = Int.random(in: 1...4, using: &random)
        state = PoolState(limit: limit)
    }

    // MARK: Events

    mutating func read() {
        if let grant = state.beginRead(at: now) {
            addRead(grant.connection)
            grant.opening.map { begin(opening: $0) }
        } else {
            lastWaiter += 1
            waitingReads.insert(lastWaiter)
            perform(state.queueRead(lastWaiter, at: now))
        }
    }

    mutating func lease() {
        if let id = state.beginLease() {
            takeLease(id)
        } else {
            lastWaiter += 1
            waitingLeases.insert(lastWaiter)
            perform(state.queueLease(lastWaiter, at: now))
        }
    }

    mutating func giveUpWaiting() {
        guard let waiter = waitingReads.union(waitingLeases).sorted().randomElement(using: &random) else { return }
        waitingReads.remove(waiter)
        waitingLeases.remove(waiter)
        perform(state.remove(waiter, at: now))
    }

    mutating func endRead() {
        guard let id = pick({ $0.reads > 0 }) else { return }
        open[id]?.reads -= 1
        perform(state.readEnded(on: id, at: now))
    }

    mutating func endLease(idle isIdle: Bool) {
        guard let id = pick({ $0.isLeased }) else { return }
        open[id]?.isLeased = false
        if isIdle { return perform(state.leaseEnded(on: id, at: now)) }
        open[id]?.isRecovering = true
        state.recoveryBegan(on: id)
    }

    mutating func recover() {
        guard let id = pick({ $0.isRecovering }) else { return }
        open[id]?.isRecovering = false
        perform(state.recovered(id, at: now))
    }

    mutating func lose() {
        guard let id = pick({ _ in true }) else { return }
        let held = open.removeValue(forKey: id)
        perform(state.closed(id, at: now))
        // Those who had it come back later, and say so.
        for _ in 0..<(held?.reads ?? 0) { perform(state.readEnded(on: id, at: now)) }
        if held?.isLeased == true { perform(state.leaseEnded(on: id, at: now)) }
        if held?.isRecovering == true { perform(state.recovered(id, at: now)) }
    }

    mutating func finishOpening(succeeds: Bool) {
        guard let id = opening.sorted().randomElement(using: &random) else { return }
        opening.remove(id)
        guard succeeds else {
            return perform(state.failedToOpen(id, PostgresError(.unreachable, message: "no"), at: now))
        }
        open[id] = Held()
        perform(state.opened(id, at: now))
    }

    mutating func pass(_ time: Duration) {
        now = now.advanced(by: time)
        for due in retries.filter({ $0 <= now }) {
            retries.remove(at: retries.firstIndex(of: due)!)  // It was found in the array just now.
            perform(state.retryDue(at: now))
        }
    }

    private mutating func pick(_ isMeant: (Held) -> Bool) -> Int? {
        open.filter { isMeant($0.value) }.keys.sorted().randomElement(using: &random)
    }

    // MARK: Actions

    private mutating func perform(_ actions: [PoolState.Action]) {
        for action in actions {
            switch action {
            case .open(let id): begin(opening: id)
            case .retry(let time): retries.append(time)
            case .grantRead(let waiter, let id):
                if waitingReads.remove(waiter) == nil { violations.append("read \(waiter) was granted unasked") }
                addRead(id)
            case .grantLease(let waiter, let id): grantLease(id, to: waiter)
            case .fail(let waiter, _):
                if waitingReads.remove(waiter) == nil, waitingLeases.remove(waiter) == nil {
                    violations.append("\(waiter) was failed without waiting")
                }
            }
        }
    }

    private mutating func grantLease(_ id: Int, to waiter: Int) {
        // Now and then the server's end turns out to be gone.
        if Int.random(in: 0..<20, using: &random) == 0 {
            open[id] = nil
            return perform(state.foundClosed(id, grantedTo: waiter, at: now))
        }
        if waitingLeases.remove(waiter) == nil { violations.append("lease \(waiter) was granted unasked") }
        takeLease(id)
    }

    private mutating func begin(opening id: Int) {
        if opening.contains(id) || open[id] != nil { violations.append("connection \(id) was opened twice") }
        opening.insert(id)
    }

    private mutating func addRead(_ id: Int) {
        granted.reads += 1
        guard let held = open[id], !held.isLeased, !held.isRecovering else {
            return violations.append("a read was granted on connection \(id), which is not shared")
        }
        open[id]?.reads += 1
    }

    private mutating func takeLease(_ id: Int) {
        granted.leases += 1
        guard let held = open[id], held.reads == 0, !held.isLeased, !held.isRecovering else {
            return violations.append("a lease was granted on connection \(id), which is in use")
        }
        open[id]?.isLeased = true
    }

    // MARK: Invariants

    /// What must hold after every event.
    mutating func check() {
        if opening.count + open.count > limit { violations.append("there are more than \(limit) connections") }
        if opening.count > 1 { violations.append("two connections are being opened at once") }
        if Set(state.slots.map(\.id)) != opening.union(open.keys) {
            violations.append("the pool holds \(state.slots.map(\.id)), but \(opening.union(open.keys)) exist")
        }
        if Set(state.readWaiters) != waitingReads || Set(state.leaseWaiters) != waitingLeases {
            violations.append("those that wait are not those that the pool knows")
        }
        let isPending =
            !opening.isEmpty || !retries.isEmpty
            || open.values.contains { $0.reads > 0 || $0.isLeased || $0.isRecovering }
        if !(waitingReads.isEmpty && waitingLeases.isEmpty) && !isPending {
            violations.append("somebody waits, and nothing is under way that could end the waiting")
        }
    }

    /// Lets everything end, with a server that works: nobody may wait then, and no connection be in use.
    mutating func comeToRest() {
        for _ in 0..<10_000 {
            guard !isIdle else { return }
            pass(.milliseconds(1))
            finishOpening(succeeds: true)
            endRead()
            endLease(idle: true)
            recover()
            check()
        }
        violations.append(
            "it does not come to rest: \(waitingReads.count) reads and \(waitingLeases.count) leases wait")
    }

    private var isIdle: Bool {
        waitingReads.isEmpty && waitingLeases.isEmpty && opening.isEmpty
            && open.values.allSatisfy { $0.reads == 0 && !$0.isLeased && !$0.isRecovering }
    }
}
