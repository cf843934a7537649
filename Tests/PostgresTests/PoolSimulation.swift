import EventLoop
import TestSupport

@testable import Postgres

/// A simulation of a pool's environment in a random history: tasks that read and lease, a server that fails and
/// recovers, and a clock.
///
/// It carries out the actions of the `PoolState` and checks each of them against its own model of the pool.
struct PoolSimulation {
    /// The model of an open connection.
    struct ConnectionModel {
        var reads = 0
        var isLeased = false
        var isRecovering = false
    }

    var state: PoolState
    let limit: Int
    var random: SeededGenerator
    var now = Instant.now
    private(set) var opening: Set<Int> = []
    private(set) var open: [Int: ConnectionModel] = [:]
    private(set) var waitingReads: Set<Int> = []
    private(set) var waitingLeases: Set<Int> = []
    private(set) var retries: [Instant] = []
    private var lastWaiter = 0
    private(set) var violations: [String] = []
    /// The number of granted reads and leases.
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

    mutating func cancelWaiting() {
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

    mutating func loseConnection() {
        guard let id = pick({ _ in true }) else { return }
        let connection = open.removeValue(forKey: id)
        perform(state.closed(id, at: now))
        // The tasks that used the connection end later, and report it.
        for _ in 0..<(connection?.reads ?? 0) { perform(state.readEnded(on: id, at: now)) }
        if connection?.isLeased == true { perform(state.leaseEnded(on: id, at: now)) }
        if connection?.isRecovering == true { perform(state.recovered(id, at: now)) }
    }

    mutating func finishOpening(succeeds: Bool) {
        guard let id = opening.sorted().randomElement(using: &random) else { return }
        opening.remove(id)
        guard succeeds else {
            return perform(state.failedToOpen(id, PostgresError(.unreachable, message: "no"), at: now))
        }
        open[id] = ConnectionModel()
        perform(state.opened(id, at: now))
    }

    mutating func advance(by time: Duration) {
        now = now.advanced(by: time)
        for time in retries.filter({ $0 <= now }) {
            retries.remove(at: retries.firstIndex(of: time)!)  // It was found in the array just now.
            perform(state.retryDue(at: now))
        }
    }

    private mutating func pick(_ predicate: (ConnectionModel) -> Bool) -> Int? {
        open.filter { predicate($0.value) }.keys.sorted().randomElement(using: &random)
    }

    // MARK: Actions

    private mutating func perform(_ actions: [PoolState.Action]) {
        for action in actions {
            switch action {
            case .open(let id): begin(opening: id)
            case .retry(let time): retries.append(time)
            case .grantRead(let waiter, let id):
                if waitingReads.remove(waiter) == nil {
                    violations.append("read \(waiter) was granted although it was not queued")
                }
                addRead(id)
            case .grantLease(let waiter, let id): grantLease(id, to: waiter)
            case .fail(let waiter, _):
                if waitingReads.remove(waiter) == nil, waitingLeases.remove(waiter) == nil {
                    violations.append("\(waiter) failed although it was not queued")
                }
            }
        }
    }

    private mutating func grantLease(_ id: Int, to waiter: Int) {
        // Occasionally the server turns out to have closed the connection.
        if Int.random(in: 0..<20, using: &random) == 0 {
            open[id] = nil
            return perform(state.foundClosed(id, grantedTo: waiter, at: now))
        }
        if waitingLeases.remove(waiter) == nil {
            violations.append("lease \(waiter) was granted although it was not queued")
        }
        takeLease(id)
    }

    private mutating func begin(opening id: Int) {
        if opening.contains(id) || open[id] != nil { violations.append("connection \(id) was opened twice") }
        opening.insert(id)
    }

    private mutating func addRead(_ id: Int) {
        granted.reads += 1
        guard let connection = open[id], !connection.isLeased, !connection.isRecovering else {
            return violations.append("a read was granted on connection \(id), which is not shared")
        }
        open[id]?.reads += 1
    }

    private mutating func takeLease(_ id: Int) {
        granted.leases += 1
        guard let connection = open[id], connection.reads == 0, !connection.isLeased, !connection.isRecovering else {
            return violations.append("a lease was granted on connection \(id), which is in use")
        }
        open[id]?.isLeased = true
    }

    // MARK: Invariants

    /// Checks the invariants that must hold after every event.
    mutating func checkInvariants() {
        if opening.count + open.count > limit { violations.append("the pool has more than \(limit) connections") }
        if opening.count > 1 { violations.append("two connections are being opened at once") }
        if Set(state.slots.map(\.id)) != opening.union(open.keys) {
            violations.append("the pool holds \(state.slots.map(\.id)), but \(opening.union(open.keys)) exist")
        }
        if Set(state.readWaiters) != waitingReads || Set(state.leaseWaiters) != waitingLeases {
            violations.append("the queued tasks differ from those of the pool")
        }
        let isPending =
            !opening.isEmpty || !retries.isEmpty
            || open.values.contains { $0.reads > 0 || $0.isLeased || $0.isRecovering }
        if !(waitingReads.isEmpty && waitingLeases.isEmpty) && !isPending {
            violations.append("a task is queued, and no pending event can resume it")
        }
    }

    /// Completes all pending activity, while every connection attempt succeeds, and checks that no task is waiting and
    /// no connection is in use afterwards.
    mutating func settle() {
        for _ in 0..<10_000 {
            guard !isIdle else { return }
            advance(by: .milliseconds(1))
            finishOpening(succeeds: true)
            endRead()
            endLease(idle: true)
            recover()
            checkInvariants()
        }
        violations.append(
            "the pool does not become idle: \(waitingReads.count) reads and \(waitingLeases.count) leases are queued")
    }

    private var isIdle: Bool {
        waitingReads.isEmpty && waitingLeases.isEmpty && opening.isEmpty
            && open.values.allSatisfy { $0.reads == 0 && !$0.isLeased && !$0.isRecovering }
    }
}
