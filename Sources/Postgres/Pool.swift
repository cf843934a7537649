import EventLoop
import Logging
import SQL
import Scoreboard

/// The connections of one loop: few, since single reads share them.
///
/// Reads share connections, in pipelines; a lease has one for itself. `PoolState` decides; this class opens and closes
/// connections, and resumes the tasks that wait.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
public final class Pool: @unchecked Sendable {
    private typealias ID = PoolState.ConnectionID

    private let configuration: PostgresConfiguration
    private let loop: Loop
    private let log: Logger
    private var state: PoolState
    private var connections: [ID: Connection] = [:]
    private var waiters: [PoolState.WaiterID: Waiter<PoolState.ConnectionID>] = [:]
    private var lastWaiter = 0
    private var isShutDown = false
    /// Validates a new connection.
    private let check: (Connection) async throws -> Void

    /// Makes a pool for the loop that the caller runs on; it connects when it is first used.
    public convenience init(_ configuration: PostgresConfiguration, log: Logger = Logger(label: "aktify.postgres")) {
        self.init(configuration, log: log) { _ in }
    }

    /// - Parameter check: validates a new connection; throws when it must not be used.
    init(_ configuration: PostgresConfiguration, log: Logger, check: @escaping (Connection) async throws -> Void) {
        guard let loop = Loop.current else { preconditionFailure("a pool belongs to a loop: make it on one") }
        self.configuration = configuration
        self.loop = loop
        self.log = log
        self.check = check
        state = PoolState(limit: configuration.connections, keepsOneForReads: configuration.keepsOneForReads)
    }

    // MARK: Reading

    /// Runs a statement that changes nothing, in a pipeline that other reads share. One whose connection is lost is sent
    /// again, once for each connection that can have been lost at the same time; one that another's failure has aborted is
    /// sent again by itself.
    /// - Throws: `PostgresError`.
    public func read(_ statement: Statement) async throws -> Result {
        var losses = 0
        var isAlone = false
        while true {
            let id =
                if let granted = grantRead() { granted } else { try await wait { $0.queueRead($1, at: $2) } }
            do {
                guard let connection = connections[id] else { throw Connection.notSent }
                let result = try await connection.read(statement, alone: isAlone)
                perform(state.readEnded(on: id, at: loop.now))
                return result
            } catch {
                perform(state.readEnded(on: id, at: loop.now))
                switch (error as? PostgresError)?.kind {
                case .aborted: isAlone = true
                case .lost, .notSent, .terminated: losses += 1
                default: throw error
                }
                guard losses <= configuration.connections, !isShutDown else { throw error }
            }
        }
    }

    /// Grants a read at once, if a connection can take it.
    private func grantRead() -> ID? {
        guard let grant = state.beginRead(at: loop.now) else { return nil }
        if let opening = grant.opening { open(opening) }
        return grant.connection
    }

    // MARK: Leasing

    /// Lets `body` have a connection for itself: for a statement that writes, and for a transaction.
    ///
    /// When the task is cancelled, the statement that is under way is cancelled, and no other is sent. The connection serves
    /// others again when it is at rest; one that does not get there is closed.
    /// - Throws: `PostgresError`, `CancellationError`, and what `body` throws.
    public func lease<Value>(_ body: (Lease) async throws -> Value) async throws -> Value {
        let (id, connection) = try await connectionToLease()
        let lease = Lease(of: connection)
        defer { end(lease, of: connection, id) }
        do {
            try Task.checkCancellation()
            return try await withTaskCancellationHandler {
                try await body(lease)
            } onCancel: {
                Task(executorPreference: loop) { lease.cancel() }
            }
        } catch let error as PostgresError where error.state == "25006" {
            // A server that has become a standby refuses writes: a new connection looks for the one that takes them.
            connection.close()
            throw error
        }
    }

    private func connectionToLease() async throws -> (ID, Connection) {
        while let id = state.beginLease() {
            if let connection = connections[id], connection.isAlive { return (id, connection) }
            perform(state.closed(id, at: loop.now))
        }
        let id = try await wait { $0.queueLease($1, at: $2) }
        guard let connection = connections[id] else { throw Connection.notSent }
        return (id, connection)
    }

    private func end(_ lease: Lease, of connection: Connection, _ id: ID) {
        let cancelRequest = lease.end()
        guard connection.isOpen else { return }
        guard cancelRequest != nil || !connection.isAtRest else {
            return perform(state.leaseEnded(on: id, at: loop.now))
        }
        state.recoveryBegan(on: id)
        Task(executorPreference: loop) { await self.recover(connection, id, after: cancelRequest) }
    }

    /// Waits until a connection is at rest: its cancel request has come back, and a round trip after that has succeeded, so
    /// that the request can hit no later statement. Closes one that is not.
    private func recover(_ connection: Connection, _ id: ID, after cancelRequest: Task<Bool, Never>?) async {
        if cancelRequest == nil {
            log.error("a lease ended in a transaction, which is rolled back, or with a statement under way")
        }
        guard await cancelRequest?.value ?? true else { return connection.close() }
        // The first may still be what the request hits.
        for _ in 0..<2 where connection.isOpen {
            let statement: Statement = connection.isInTransaction ? "ROLLBACK" : "SELECT 1"
            if (try? await connection.execute(statement)) != nil, connection.isAtRest {
                return perform(state.recovered(id, at: loop.now))
            }
        }
        connection.close()
    }

    // MARK: Waiting

    /// Waits for a connection, no longer than the configuration says.
    private func wait(
        _ queue: (inout PoolState, PoolState.WaiterID, Instant) -> [PoolState.Action]
    ) async throws -> ID {
        guard !isShutDown else { throw Connection.notSent }
        lastWaiter += 1
        let (id, waiter) = (lastWaiter, Waiter<PoolState.ConnectionID>(on: loop))
        waiters[id] = waiter
        perform(queue(&state, id, loop.now))
        let timer = loop.schedule(at: loop.now.advanced(by: configuration.acquireTimeout)) {
            waiter.resume(throwing: PostgresError(.busy, message: "no connection was free in time"))
        }
        let activity = RequestActivity.current
        let phase = activity?.phase
        activity?.phase = .waitingForConnection
        defer {
            timer.cancel()
            if let phase { activity?.phase = phase }
        }
        do { return try await waiter.value() } catch {
            if waiters.removeValue(forKey: id) != nil { perform(state.remove(id, at: loop.now)) }
            throw error
        }
    }

    // MARK: Carrying actions out

    private func perform(_ actions: [PoolState.Action]) {
        for action in actions {
            switch action {
            case .open(let id): open(id)
            case .retry(let time): loop.schedule(at: time) { [weak self] in self?.retry() }
            case .fail(let waiter, let error): waiters.removeValue(forKey: waiter)?.resume(throwing: error)
            case .grantRead(let waiter, let id):
                if !grant(id, to: waiter) { perform(state.readEnded(on: id, at: loop.now)) }
            case .grantLease(let waiter, let id): grantLease(id, to: waiter)
            }
        }
    }

    private func retry() { perform(state.retryDue(at: loop.now)) }

    private func grantLease(_ id: ID, to waiter: PoolState.WaiterID) {
        guard connections[id]?.isAlive == true else {
            return perform(state.foundClosed(id, grantedTo: waiter, at: loop.now))
        }
        if !grant(id, to: waiter) { perform(state.leaseEnded(on: id, at: loop.now)) }
    }

    /// - Returns: whether it still waits.
    private func grant(_ id: ID, to waiter: PoolState.WaiterID) -> Bool {
        guard let waiter = waiters.removeValue(forKey: waiter), !waiter.isResumed else { return false }
        waiter.resume(returning: id)
        return true
    }

    // MARK: Opening and closing

    private func open(_ id: ID) {
        guard !isShutDown else { return }
        Task(executorPreference: loop) { await self.opened(id) }
    }

    private func opened(_ id: ID) async {
        do {
            let connection = try await Connection.open(configuration)
            try await check(connection)
            guard !isShutDown else { return connection.close() }
            connection.onClose = { [weak self] in self?.closed(id) }
            connections[id] = connection
            perform(state.opened(id, at: loop.now))
        } catch {
            let error = error as? PostgresError ?? PostgresError(.unreachable, message: "\(error)")
            log.error("cannot connect: \(error)")
            perform(state.failedToOpen(id, error, at: loop.now))
        }
    }

    private func closed(_ id: ID) {
        connections[id] = nil
        perform(state.closed(id, at: loop.now))
    }

    /// Shuts down at once: closes all connections, and fails what is under way, what waits, and every later call.
    func shutDown() {
        isShutDown = true
        for connection in connections.values { connection.close() }
        for waiter in waiters.values { waiter.resume(throwing: Connection.notSent) }
    }

    // MARK: Statistics

    /// What the connections of a pool do at a moment.
    public struct Statistics: Hashable, Sendable {
        /// Connections that are open, leased ones among them.
        public var open: Int
        /// Connections that one task has for itself, or had, and that are not at rest yet.
        public var leased: Int
        /// Connections with nothing under way.
        public var idle: Int
        /// Reads that wait for their results.
        public var inFlight: Int
        /// Tasks that wait for a connection.
        public var waiting: Int
    }

    /// What the connections do now.
    public var statistics: Statistics {
        let slots = state.slots
        return Statistics(
            open: slots.count { $0.use != .opening }, leased: slots.count { $0.isHeld },
            idle: slots.count { $0.isIdle }, inFlight: slots.reduce(0) { $0 + ($1.reads ?? 0) },
            waiting: state.readers.count + state.lessees.count)
    }
}
