import DequeModule
import EventLoop

/// The state machine of a connection pool, without I/O: which tasks use which connections, and which tasks wait.
///
/// Each event is a method that returns the actions that the pool has to carry out. A connection counts as used as soon
/// as it is granted, before the waiting task runs: a connection with reads is not leased, and a leased one gets no
/// reads.
struct PoolState {
    /// The id of a connection, from before the connection is opened until it is closed; never reused.
    typealias ConnectionID = Int
    /// The id of a task that waits for a connection.
    typealias WaiterID = Int

    /// The use of a connection of the pool. A closed connection is no longer in the pool.
    enum Use: Equatable {
        /// The connection is being opened.
        case opening
        /// The connection is available for reads. `reads` is the number of reads in flight. `progressed` is when
        /// a read last completed or, if later, when a read was last granted while the connection was idle.
        case shared(reads: Int, progressed: Instant)
        /// One task has exclusive use of the connection.
        case leased
        /// The lease has ended, but the connection is not idle yet, because of a cancel request, an open transaction
        /// or a statement in flight.
        case recovering
    }

    /// An action that the pool has to carry out.
    enum Action {
        /// Open a connection with this id.
        case open(ConnectionID)
        /// Resume a task that waits to read, with the granted connection.
        case grantRead(WaiterID, ConnectionID)
        /// Resume a task that waits for a lease, with the granted connection.
        case grantLease(WaiterID, ConnectionID)
        /// Fail a waiting task with an error.
        case fail(WaiterID, PostgresError)
        /// Call `retryDue` at this time.
        case retry(at: Instant)
    }

    /// A connection of the pool, or one that is being opened.
    struct Slot {
        let id: ConnectionID
        var use: Use
    }

    private let limit: Int
    private let maximumLeases: Int
    private(set) var slots: [Slot] = []
    private(set) var readWaiters = Deque<WaiterID>()
    private(set) var leaseWaiters = Deque<WaiterID>()
    private var backoff = Backoff()
    private var lastID = 0

    /// Creates a pool without connections.
    /// - Parameters:
    ///   - limit: The maximum number of connections, including those that are being opened.
    ///   - keepsOneForReads: Whether one connection is reserved for reads if the limit is two or more.
    init(limit: Int, keepsOneForReads: Bool = true) {
        self.limit = limit
        maximumLeases = keepsOneForReads ? max(1, limit - 1) : limit
    }

    /// The number of reads in flight on a connection at which further reads go to another connection if possible.
    static let preferredDepth = 32
    /// The maximum number of reads in flight on a connection.
    static let maximumDepth = 256
    /// The duration after which a connection gets no more reads, if it has reads in flight and none of them completes.
    static let stallThreshold = Duration.milliseconds(50)

    // MARK: Requests

    /// Grants a read immediately if a connection has capacity for it.
    /// - Returns: The granted connection, and a connection to open for subsequent reads, if any; `nil` if the read has
    ///   to be queued.
    mutating func beginRead(at now: Instant) -> (connection: ConnectionID, opening: ConnectionID?)? {
        guard let index = connectionForRead(at: now) else { return nil }
        addRead(to: index, at: now)
        let isFirst = !slots[..<index].contains { $0.isShared }
        return (slots[index].id, isFirst ? nil : addOpening(at: now))
    }

    /// Queues a read that could not be granted immediately.
    mutating func queueRead(_ waiter: WaiterID, at now: Instant) -> [Action] {
        readWaiters.append(waiter)
        return settle(at: now)
    }

    /// Grants a lease immediately if a connection is idle and no other lease is queued.
    /// - Returns: The leased connection; `nil` if the lease has to be queued.
    mutating func beginLease() -> ConnectionID? {
        guard leaseWaiters.isEmpty, let index = connectionForLease() else { return nil }
        slots[index].use = .leased
        return slots[index].id
    }

    /// Queues a lease that could not be granted immediately.
    mutating func queueLease(_ waiter: WaiterID, at now: Instant) -> [Action] {
        leaseWaiters.append(waiter)
        return settle(at: now)
    }

    /// Removes a waiting task from its queue because the task was cancelled or timed out.
    mutating func remove(_ waiter: WaiterID, at now: Instant) -> [Action] {
        if let index = readWaiters.firstIndex(of: waiter) {
            readWaiters.remove(at: index)
        } else if let index = leaseWaiters.firstIndex(of: waiter) {
            leaseWaiters.remove(at: index)
        }
        return settle(at: now)
    }

    // MARK: Events of connections

    /// Records that a read has completed or failed.
    mutating func readEnded(on id: ConnectionID, at now: Instant) -> [Action] {
        guard let index = index(of: id), case .shared(let reads, _) = slots[index].use else { return [] }
        slots[index].use = .shared(reads: reads - 1, progressed: now)
        return readWaiters.isEmpty && leaseWaiters.isEmpty ? [] : settle(at: now)
    }

    /// Records that a lease has ended and its connection is idle. Queued reads are granted before queued leases, so
    /// that leases do not starve reads.
    mutating func leaseEnded(on id: ConnectionID, at now: Instant) -> [Action] { share(id, from: .leased, at: now) }

    /// Records that a lease has ended and its connection is not idle yet.
    mutating func recoveryBegan(on id: ConnectionID) {
        if let index = index(of: id), slots[index].use == .leased { slots[index].use = .recovering }
    }

    /// Records that a connection in state `recovering` has become idle.
    mutating func recovered(_ id: ConnectionID, at now: Instant) -> [Action] { share(id, from: .recovering, at: now) }

    /// Records that a connection has been opened.
    mutating func opened(_ id: ConnectionID, at now: Instant) -> [Action] {
        backoff = Backoff()
        return share(id, from: .opening, at: now)
    }

    /// Records that a connection could not be opened.
    mutating func failedToOpen(_ id: ConnectionID, _ error: PostgresError, at now: Instant) -> [Action] {
        slots.removeAll { $0.id == id }
        backoff.failed(error, at: now)
        return settle(at: now) + [.retry(at: backoff.until)]
    }

    /// Records that the backoff after a failed connection attempt has ended. A pool without connections opens one even
    /// if no task waits, so that the next request finds a connection.
    mutating func retryDue(at now: Instant) -> [Action] {
        if slots.isEmpty, let id = addOpening(at: now) { return [.open(id)] + settle(at: now) }
        return settle(at: now)
    }

    /// Records that a connection was closed, whether idle or in use.
    mutating func closed(_ id: ConnectionID, at now: Instant) -> [Action] {
        slots.removeAll { $0.id == id }
        return settle(at: now)
    }

    /// Records that a connection that was granted to a lease was found closed before it was handed over. The lease
    /// returns to the head of its queue.
    mutating func foundClosed(_ id: ConnectionID, grantedTo waiter: WaiterID, at now: Instant) -> [Action] {
        slots.removeAll { $0.id == id }
        leaseWaiters.prepend(waiter)
        return settle(at: now)
    }

    // MARK: Decisions

    /// Makes a connection available for reads, and grants queued reads and leases.
    private mutating func share(_ id: ConnectionID, from use: Use, at now: Instant) -> [Action] {
        guard let index = index(of: id), slots[index].use == use else { return [] }
        slots[index].use = .shared(reads: 0, progressed: now)
        guard !readWaiters.isEmpty || !leaseWaiters.isEmpty else { return [] }
        var actions: [Action] = []
        while let reader = readWaiters.first, case .shared(let reads, _) = slots[index].use,
            reads < PoolState.maximumDepth
        {
            readWaiters.removeFirst()
            addRead(to: index, at: now)
            actions.append(.grantRead(reader, id))
        }
        return actions + settle(at: now)
    }

    /// Grants queued requests, adds a connection to open if requests remain, and fails all queued requests if the last
    /// attempt to connect failed and there is no open connection.
    private mutating func settle(at now: Instant) -> [Action] {
        var actions: [Action] = []
        while !leaseWaiters.isEmpty, let index = connectionForLease() {
            slots[index].use = .leased
            actions.append(.grantLease(leaseWaiters.removeFirst(), slots[index].id))
        }
        while !readWaiters.isEmpty, let index = connectionForRead(at: now) {
            addRead(to: index, at: now)
            actions.append(.grantRead(readWaiters.removeFirst(), slots[index].id))
        }
        if !readWaiters.isEmpty || !leaseWaiters.isEmpty && canLease, let id = addOpening(at: now) {
            actions.append(.open(id))
        }
        if let error = backoff.error, slots.allSatisfy({ $0.use == .opening }) {
            actions += (readWaiters + leaseWaiters).map { .fail($0, error) }
            readWaiters.removeAll()
            leaseWaiters.removeAll()
        }
        return actions
    }

    private mutating func addRead(to index: Int, at now: Instant) {
        guard case .shared(let reads, let progressed) = slots[index].use else { return }
        slots[index].use = .shared(reads: reads + 1, progressed: reads == 0 ? now : progressed)
    }

    /// Adds a connection to be opened and returns its id; `nil` if another one is being opened already, the limit is
    /// reached, or the backoff after a failure has not ended.
    private mutating func addOpening(at now: Instant) -> ConnectionID? {
        guard slots.count < limit, backoff.allowsTrying(at: now), !slots.contains(where: { $0.use == .opening }) else {
            return nil
        }
        lastID += 1
        slots.append(Slot(id: lastID, use: .opening))
        return lastID
    }

    /// Returns the index of the connection for a read; `nil` if no connection has capacity. The first connection with
    /// fewer than `preferredDepth` reads in flight is chosen, because reads that share a pipeline share packets. If
    /// there is none, the connection with the fewest reads is chosen. While a lease is queued and may be granted, the
    /// last shared connection gets no more reads, so that it becomes idle and can be leased.
    private func connectionForRead(at now: Instant) -> Int? {
        let reserved = leaseWaiters.isEmpty || !canLease ? nil : slots.lastIndex { $0.isShared }
        var best: (index: Int, reads: Int)?
        for index in slots.indices where index != reserved {
            guard case .shared(let reads, let progressed) = slots[index].use, reads < PoolState.maximumDepth,
                reads == 0 || now.duration(since: progressed) <= PoolState.stallThreshold
            else { continue }
            if reads < PoolState.preferredDepth { return index }
            if reads < best?.reads ?? Int.max { best = (index, reads) }
        }
        return best?.index
    }

    /// Returns the index of the connection to lease: the last idle one, since reads use the first connections.
    private func connectionForLease() -> Int? { canLease ? slots.lastIndex { $0.isIdle } : nil }

    /// Whether another connection may be leased.
    private var canLease: Bool { slots.count { $0.isExclusive } < maximumLeases }

    private func index(of id: ConnectionID) -> Int? { slots.firstIndex { $0.id == id } }
}

extension PoolState.Slot {
    /// Whether the connection is available for reads.
    var isShared: Bool { if case .shared = use { true } else { false } }
    /// Whether the connection is available for reads and has no read in flight.
    var isIdle: Bool { reads == 0 }
    /// Whether the connection is leased, or not idle yet after a lease.
    var isExclusive: Bool { use == .leased || use == .recovering }
    /// The number of reads in flight; `nil` if the connection is not available for reads.
    var reads: Int? { if case .shared(let reads, _) = use { reads } else { nil } }
}
