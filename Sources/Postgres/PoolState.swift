import DequeModule
import EventLoop

/// Which tasks use which connections of a pool, and which ones wait: a state machine without IO.
///
/// An event is a method; it returns the actions that the pool has to carry out. A connection that is granted belongs to
/// whom it was granted to from that moment on, before the task that waits for it runs: a connection with reads is not leased,
/// and a leased one takes no reads.
struct PoolState {
    /// Names a connection from before it is opened until it is closed; no two have the same.
    typealias ConnectionID = Int
    /// Names a task that waits for a connection.
    typealias WaiterID = Int

    /// What a connection is used for. One that is closed is not in the pool any more.
    enum Use: Equatable {
        case opening
        /// For reads: how many are under way, and when the last one came back, or the first one of these began.
        case shared(reads: Int, progressed: Instant)
        /// One task has it for itself.
        case leased
        /// It was given back with a cancel request under way, or in a transaction, and is not at rest yet.
        case recovering
    }

    /// What the pool has to do.
    enum Action {
        case open(ConnectionID)
        case grantRead(WaiterID, ConnectionID)
        case grantLease(WaiterID, ConnectionID)
        case fail(WaiterID, PostgresError)
        /// Report `retryDue` then.
        case retry(at: Instant)
    }

    struct Slot {
        let id: ConnectionID
        var use: Use
    }

    private let limit: Int
    private let mostLeases: Int
    private(set) var slots: [Slot] = []
    private(set) var readers = Deque<WaiterID>()
    private(set) var lessees = Deque<WaiterID>()
    private var backoff = Backoff()
    private var lastID = 0

    /// - Parameters:
    ///   - limit: how many connections there are at most, those that are being opened among them.
    ///   - keepsOneForReads: whether one connection is left to the reads, when there may be two or more.
    init(limit: Int, keepsOneForReads: Bool = true) {
        self.limit = limit
        mostLeases = keepsOneForReads ? max(1, limit - 1) : limit
    }

    /// How many reads a connection carries before the next connection is taken into use.
    static let preferredDepth = 32
    /// How many reads a connection carries at most.
    static let fullDepth = 256
    /// A connection that has reads, and on which none has come back for so long, takes no more.
    static let late = Duration.milliseconds(50)

    // MARK: Requests

    /// Grants a read at once, if a connection can take it.
    /// - Returns: the connection, and one to open for the reads to come; `nil` when the read has to queue.
    mutating func beginRead(at now: Instant) -> (connection: ConnectionID, opening: ConnectionID?)? {
        guard let index = indexForRead(at: now) else { return nil }
        addRead(to: index, at: now)
        let isFirst = !slots[..<index].contains { $0.isShared }
        return (slots[index].id, isFirst ? nil : addOpening(at: now))
    }

    /// Queues a read that could not be granted at once.
    mutating func queueRead(_ waiter: WaiterID, at now: Instant) -> [Action] {
        readers.append(waiter)
        return settle(at: now)
    }

    /// Grants a lease at once, if a connection is idle and nobody waits for one.
    /// - Returns: the connection; `nil` when the lease has to queue.
    mutating func beginLease() -> ConnectionID? {
        guard lessees.isEmpty, let index = indexForLease() else { return nil }
        slots[index].use = .leased
        return slots[index].id
    }

    /// Queues a lease that could not be granted at once.
    mutating func queueLease(_ waiter: WaiterID, at now: Instant) -> [Action] {
        lessees.append(waiter)
        return settle(at: now)
    }

    /// Forgets a task that does not wait any longer: it was cancelled, or its time is up.
    mutating func remove(_ waiter: WaiterID, at now: Instant) -> [Action] {
        if let index = readers.firstIndex(of: waiter) {
            readers.remove(at: index)
        } else if let index = lessees.firstIndex(of: waiter) {
            lessees.remove(at: index)
        }
        return settle(at: now)
    }

    // MARK: What becomes of connections

    /// A read has come back, or has failed.
    mutating func readEnded(on id: ConnectionID, at now: Instant) -> [Action] {
        guard let index = index(of: id), case .shared(let reads, _) = slots[index].use else { return [] }
        slots[index].use = .shared(reads: reads - 1, progressed: now)
        return readers.isEmpty && lessees.isEmpty ? [] : settle(at: now)
    }

    /// A lease has ended, and its connection is at rest. Reads that wait go first, so that leases do not starve them.
    mutating func leaseEnded(on id: ConnectionID, at now: Instant) -> [Action] { share(id, from: .leased, at: now) }

    /// A lease has ended, and its connection is not at rest.
    mutating func recoveryBegan(on id: ConnectionID) {
        if let index = index(of: id), slots[index].use == .leased { slots[index].use = .recovering }
    }

    /// The connection is at rest now.
    mutating func recovered(_ id: ConnectionID, at now: Instant) -> [Action] { share(id, from: .recovering, at: now) }

    /// A connection that was being opened is open.
    mutating func opened(_ id: ConnectionID, at now: Instant) -> [Action] {
        backoff = Backoff()
        return share(id, from: .opening, at: now)
    }

    /// A connection could not be opened.
    mutating func failedToOpen(_ id: ConnectionID, _ error: PostgresError, at now: Instant) -> [Action] {
        slots.removeAll { $0.id == id }
        backoff.failed(error, at: now)
        return settle(at: now) + [.retry(at: backoff.until)]
    }

    /// The time has come to try again. Without any connection, one is opened unasked, so that the first request after the
    /// database has come back finds it.
    mutating func retryDue(at now: Instant) -> [Action] {
        if slots.isEmpty, let id = addOpening(at: now) { return [.open(id)] + settle(at: now) }
        return settle(at: now)
    }

    /// A connection was closed, whoever had it.
    mutating func closed(_ id: ConnectionID, at now: Instant) -> [Action] {
        slots.removeAll { $0.id == id }
        return settle(at: now)
    }

    /// A connection that was granted to a lessee was found closed before it was handed over: the lessee waits again, in its place.
    mutating func foundClosed(_ id: ConnectionID, grantedTo waiter: WaiterID, at now: Instant) -> [Action] {
        slots.removeAll { $0.id == id }
        lessees.prepend(waiter)
        return settle(at: now)
    }

    // MARK: Deciding

    private mutating func share(_ id: ConnectionID, from use: Use, at now: Instant) -> [Action] {
        guard let index = index(of: id), slots[index].use == use else { return [] }
        slots[index].use = .shared(reads: 0, progressed: now)
        guard !readers.isEmpty || !lessees.isEmpty else { return [] }
        var actions: [Action] = []
        while let reader = readers.first, case .shared(let reads, _) = slots[index].use, reads < PoolState.fullDepth {
            readers.removeFirst()
            addRead(to: index, at: now)
            actions.append(.grantRead(reader, id))
        }
        return actions + settle(at: now)
    }

    /// Grants what can be granted, opens a connection when one is missing, and fails all that wait when no connection could be made.
    private mutating func settle(at now: Instant) -> [Action] {
        var actions: [Action] = []
        while !lessees.isEmpty, let index = indexForLease() {
            slots[index].use = .leased
            actions.append(.grantLease(lessees.removeFirst(), slots[index].id))
        }
        while !readers.isEmpty, let index = indexForRead(at: now) {
            addRead(to: index, at: now)
            actions.append(.grantRead(readers.removeFirst(), slots[index].id))
        }
        if !readers.isEmpty || !lessees.isEmpty && mayLease, let id = addOpening(at: now) { actions.append(.open(id)) }
        if let error = backoff.error, slots.allSatisfy({ $0.use == .opening }) {
            actions += (readers + lessees).map { .fail($0, error) }
            readers.removeAll()
            lessees.removeAll()
        }
        return actions
    }

    private mutating func addRead(to index: Int, at now: Instant) {
        guard case .shared(let reads, let progressed) = slots[index].use else { return }
        slots[index].use = .shared(reads: reads + 1, progressed: reads == 0 ? now : progressed)
    }

    /// Adds a connection to be opened, one at a time, unless there are enough or a failure was too recent.
    private mutating func addOpening(at now: Instant) -> ConnectionID? {
        guard slots.count < limit, backoff.allowsTrying(at: now), !slots.contains(where: { $0.use == .opening }) else {
            return nil
        }
        lastID += 1
        slots.append(Slot(id: lastID, use: .opening))
        return lastID
    }

    /// The connection to add a read to: the first one that carries few, since a pipeline is the better the more requests
    /// share its packets; when all carry more, the least busy one. The last one takes no more while a lease waits for it.
    private func indexForRead(at now: Instant) -> Int? {
        let reserved = lessees.isEmpty || !mayLease ? nil : slots.lastIndex { $0.isShared }
        var best: (index: Int, reads: Int)?
        for index in slots.indices where index != reserved {
            guard case .shared(let reads, let progressed) = slots[index].use, reads < PoolState.fullDepth,
                reads == 0 || now.duration(since: progressed) <= PoolState.late
            else { continue }
            if reads < PoolState.preferredDepth { return index }
            if reads < best?.reads ?? Int.max { best = (index, reads) }
        }
        return best?.index
    }

    /// The connection to lease: the last idle one, since reads are on the first ones.
    private func indexForLease() -> Int? { mayLease ? slots.lastIndex { $0.isIdle } : nil }

    private var mayLease: Bool { slots.count { $0.isHeld } < mostLeases }

    private func index(of id: ConnectionID) -> Int? { slots.firstIndex { $0.id == id } }
}

extension PoolState.Slot {
    var isShared: Bool { if case .shared = use { true } else { false } }
    var isIdle: Bool { reads == 0 }
    var isHeld: Bool { use == .leased || use == .recovering }
    /// How many reads are under way; `nil` when it is not shared.
    var reads: Int? { if case .shared(let reads, _) = use { reads } else { nil } }
}
