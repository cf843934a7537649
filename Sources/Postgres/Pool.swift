import EventLoop
import Logging
import SQL
import Scoreboard

/// The connection pool of one event loop. A pool needs only a few connections, because reads share them.
///
/// Reads share connections in pipelines; a lease gives one task exclusive use of a connection. `PoolState` makes the
/// decisions; this class opens and closes connections and resumes waiting tasks.
///
/// `@unchecked Sendable` is sound because a pool is used only on the thread of its event loop.
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
    /// Validates a new connection; throws if the connection must not be used.
    private let check: (Connection) async throws -> Void

    /// Creates a pool for the caller's event loop. The pool opens connections on first use.
    public convenience init(_ configuration: PostgresConfiguration, log: Logger = Logger(label: "aktify.postgres")) {
        self.init(configuration, log: log) { _ in }
    }

    /// Creates a pool that validates its connections.
    /// - Parameters:
    ///   - configuration: The server and the limits.
    ///   - log: The logger.
    ///   - check: Validates a new connection; throws if the connection must not be used.
    init(_ configuration: PostgresConfiguration, log: Logger, check: @escaping (Connection) async throws -> Void) {
        guard let loop = Loop.current else {
            preconditionFailure("a pool is bound to an event loop: create it on a loop's thread")
        }
        self.configuration = configuration
        self.loop = loop
        self.log = log
        self.check = check
        state = PoolState(limit: configuration.connections, keepsOneForReads: configuration.keepsOneForReads)
    }

    // MARK: Reading

    /// Executes a read-only statement in a pipeline that other reads share.
    ///
    /// If the connection is lost, the statement is sent again, at most once for each connection of the pool, since all
    /// of them can be lost at the same time. If the statement is aborted because another one in the same batch failed,
    /// it is sent again in a separate batch.
    /// - Throws: `PostgresError`; `CancellationError` if the task is cancelled while it waits for a connection.
    public func read(_ statement: Statement) async throws -> Result {
        var losses = 0
        var hasOwnSync = false
        while true {
            let id =
                if let granted = grantRead() { granted } else { try await wait { $0.queueRead($1, at: $2) } }
            do {
                guard let connection = connections[id] else { throw Connection.notSent }
                let result = try await connection.read(statement, hasOwnSync: hasOwnSync)
                perform(state.readEnded(on: id, at: loop.now))
                return result
            } catch {
                perform(state.readEnded(on: id, at: loop.now))
                switch (error as? PostgresError)?.kind {
                case .aborted: hasOwnSync = true
                case .lost, .notSent, .terminated: losses += 1
                default: throw error
                }
                guard losses <= configuration.connections, !isShutDown else { throw error }
            }
        }
    }

    /// Grants a connection to a read immediately and returns the connection's id; `nil` if no connection has capacity.
    private func grantRead() -> ID? {
        guard let grant = state.beginRead(at: loop.now) else { return nil }
        if let opening = grant.opening { open(opening) }
        return grant.connection
    }

    // MARK: Leasing

    /// Calls `body` with exclusive use of a connection, for statements that write and for transactions.
    ///
    /// When the task is cancelled, the running statement is cancelled and no other statement except a ROLLBACK is sent.
    /// After the lease, the connection returns to the pool once it is idle, or is closed if it does not become idle.
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
            // The server has become a standby, which rejects writes: a new connection searches for the primary.
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
        guard cancelRequest != nil || !connection.isIdle else {
            return perform(state.leaseEnded(on: id, at: loop.now))
        }
        state.recoveryBegan(on: id)
        Task(executorPreference: loop) { await self.recover(connection, id, after: cancelRequest) }
    }

    /// Waits until a connection is idle after a lease, or closes it if it does not become idle. After a cancel request,
    /// the connection is idle only when the request has completed and a subsequent round trip has succeeded, so that
    /// the request cannot cancel a later statement.
    private func recover(_ connection: Connection, _ id: ID, after cancelRequest: Task<Bool, Never>?) async {
        if cancelRequest == nil {
            log.error("a lease ended with an open transaction, which is rolled back, or with a statement in flight")
        }
        guard await cancelRequest?.value ?? true else { return connection.close() }
        // The cancel request may still cancel the first statement.
        for _ in 0..<2 where connection.isOpen {
            let statement: Statement = connection.isInTransaction ? "ROLLBACK" : "SELECT 1"
            if (try? await connection.execute(statement)) != nil, connection.isIdle {
                return perform(state.recovered(id, at: loop.now))
            }
        }
        connection.close()
    }

    // MARK: Waiting

    /// Adds the current task to a queue by calling `queue`, and waits for a connection, no longer than the configured
    /// acquire timeout.
    private func wait(
        _ queue: (inout PoolState, PoolState.WaiterID, Instant) -> [PoolState.Action]
    ) async throws -> ID {
        guard !isShutDown else { throw Connection.notSent }
        lastWaiter += 1
        let (id, waiter) = (lastWaiter, Waiter<PoolState.ConnectionID>(on: loop))
        waiters[id] = waiter
        perform(queue(&state, id, loop.now))
        let timer = loop.schedule(at: loop.now.advanced(by: configuration.acquireTimeout)) { [unowned self] in
            // Without a connection, the server has not responded to an attempt to connect.
            let kind = connections.isEmpty ? PostgresError.Kind.unreachable : .busy
            waiter.resume(throwing: PostgresError(kind, message: "no connection became available in time"))
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

    /// Resumes a waiting task with a connection.
    /// - Returns: Whether the task was still waiting.
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

    /// Opens and validates a connection, and reports the outcome to the state machine (`PoolState`).
    private func opened(_ id: ID) async {
        do {
            let connection = try await Connection.open(configuration)
            try await check(connection)
            guard !isShutDown else { return connection.close() }
            guard connection.isOpen else {
                throw PostgresError(.unreachable, message: "the connection was lost while it was validated")
            }
            connection.onClose = { [weak self] in self?.closed(id) }
            connections[id] = connection
            perform(state.opened(id, at: loop.now))
        } catch {
            let error = error as? PostgresError ?? PostgresError(.unreachable, message: "\(error)")
            log.error("cannot connect to Postgres: \(error)")
            perform(state.failedToOpen(id, error, at: loop.now))
        }
    }

    private func closed(_ id: ID) {
        connections[id] = nil
        perform(state.closed(id, at: loop.now))
    }

    /// Shuts the pool down immediately: closes all connections, and fails statements in flight, waiting tasks and
    /// later calls.
    func shutDown() {
        isShutDown = true
        for connection in connections.values { connection.close() }
        for waiter in waiters.values { waiter.resume(throwing: Connection.notSent) }
    }

    // MARK: Statistics

    /// The use of a pool's connections at a point in time.
    public struct Statistics: Hashable, Sendable {
        /// The number of open connections, including leased ones.
        public var open: Int
        /// The number of connections that are leased, or not idle yet after a lease.
        public var leased: Int
        /// The number of idle connections.
        public var idle: Int
        /// The number of reads in flight.
        public var inFlight: Int
        /// The number of tasks that wait for a connection.
        public var waiting: Int
    }

    /// The current use of the connections.
    public var statistics: Statistics {
        let slots = state.slots
        return Statistics(
            open: slots.count { $0.use != .opening }, leased: slots.count { $0.isExclusive },
            idle: slots.count { $0.isIdle }, inFlight: slots.reduce(0) { $0 + ($1.reads ?? 0) },
            waiting: state.readWaiters.count + state.leaseWaiters.count)
    }
}
