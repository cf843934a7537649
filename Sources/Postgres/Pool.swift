import DequeModule
import EventLoop
import Logging
import SQL
import Scoreboard

/// The connections of one loop: few, since single reads share them.
///
/// Reads are added to a connection's pipeline, but not when its head is late, and not when it is full. A lease waits until
/// a connection has nothing under way; meanwhile, reads go elsewhere. One connection is always left to the reads, when
/// there are two or more.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
public final class Pool: @unchecked Sendable {
    private let configuration: PostgresConfiguration
    private let loop: Loop
    private let log: Logger

    /// Connections that reads may share.
    private var shared: [Connection] = []
    /// How many connections are leased.
    private var leased = 0
    private var isOpening = false
    private var backoff = Backoff()
    private var readers = Deque<Waiter<Connection>>()
    private var lessees = Deque<Waiter<Connection>>()

    /// Makes a pool for the loop that the caller runs on; it connects when it is first used.
    public init(_ configuration: PostgresConfiguration, log: Logger = Logger(label: "aktify.postgres")) {
        guard let loop = Loop.current else { preconditionFailure("a pool belongs to a loop: make it on one") }
        self.configuration = configuration
        self.loop = loop
        self.log = log
    }

    /// How many statements a connection carries before the next one is taken into use.
    private static let easyDepth = 32
    /// How many statements a connection carries, at most.
    private static let fullDepth = 256

    // MARK: Reading

    /// Runs a statement that changes nothing, in a pipeline that other reads share. One whose connection is lost is sent
    /// again, once for each connection that can have been lost at the same time; one that another's failure has aborted is
    /// sent again by itself.
    /// - Throws: `PostgresError`.
    public func read(_ statement: Statement) async throws -> Result {
        var connection = try await connectionForReading()
        var losses = 0
        while true {
            do {
                return try await connection.read(statement)
            } catch let error as PostgresError where error.kind == .lost && losses < configuration.connections {
                losses += 1
            } catch let error as PostgresError where error.kind == .aborted {
                return try await connection.execute(statement)
            }
            connection = try await connectionForReading()
        }
    }

    private func connectionForReading() async throws -> Connection {
        if let connection = leastBusy() { return connection }
        return try await wait(\.readers)
    }

    /// The connection to add a read to: the first one that carries few, since a pipeline is the better the more requests
    /// share its packets; when all carry more, the least busy one. Another is opened, while there may be more, when the first
    /// cannot take it.
    private func leastBusy() -> Connection? {
        let candidates = shared.dropLast(reserved).filter { !$0.isLate && $0.depth < Pool.fullDepth }
        let best = candidates.first { $0.depth < Pool.easyDepth } ?? candidates.min { $0.depth < $1.depth }
        if best == nil || best !== shared.first { openAnother() }
        return best
    }

    /// How many connections, the last ones, take no more reads because a lease waits for one.
    private var reserved: Int { lessees.isEmpty || !mayLease ? 0 : 1 }

    // MARK: Leasing

    /// Lets `body` have a connection for itself: for a statement that writes, and for a transaction. It is returned at rest, or
    /// closed.
    /// - Throws: `PostgresError`, and what `body` throws.
    public func lease<Value>(_ body: (Connection) async throws -> Value) async throws -> Value {
        let connection = try await connectionToLease()
        do {
            let value = try await withTaskCancellationHandler {
                try await body(connection)
            } onCancel: {
                Task(executorPreference: loop) { await connection.cancel() }
            }
            await giveBack(connection)
            return value
        } catch {
            // A server that has become a standby refuses writes: a new connection looks for the one that takes them.
            if (error as? PostgresError)?.state == "25006" { connection.close() }
            await giveBack(connection)
            throw error
        }
    }

    private func connectionToLease() async throws -> Connection {
        if let connection = takeIdle() { return connection }
        openAnother()
        return try await wait(\.lessees)
    }

    private func takeIdle() -> Connection? {
        guard mayLease, let index = shared.firstIndex(where: { $0.depth == 0 && $0.isAlive }) else { return nil }
        leased += 1
        return shared.remove(at: index)
    }

    private var mayLease: Bool { leased < max(1, configuration.connections - 1) }

    private func giveBack(_ connection: Connection) async {
        await clean(connection)
        leased -= 1
        if connection.isOpen { shared.append(connection) }
        serveWaiting()
    }

    /// Rolls back what was left open: that is a mistake of whoever had the connection.
    private func clean(_ connection: Connection) async {
        guard connection.isInTransaction || connection.depth > 0 else { return }
        log.error("a connection came back in a transaction, which was rolled back")
        _ = try? await connection.execute("ROLLBACK")
        if connection.isInTransaction || connection.depth > 0 { connection.close() }
    }

    // MARK: Statistics

    /// What the connections of a pool do at a moment.
    public struct Statistics: Hashable, Sendable {
        /// Connections that are open, leased ones among them.
        public var open: Int
        /// Connections that one task has for itself.
        public var leased: Int
        /// Connections with nothing under way.
        public var idle: Int
        /// Statements that wait for their results.
        public var inFlight: Int
        /// Tasks that wait for a connection.
        public var waiting: Int
    }

    /// What the connections do now.
    public var statistics: Statistics {
        Statistics(
            open: shared.count + leased, leased: leased, idle: shared.count { $0.depth == 0 },
            inFlight: shared.reduce(0) { $0 + $1.depth }, waiting: (readers + lessees).count { !$0.isResumed })
    }

    // MARK: Waiting

    /// Waits for a connection, no longer than the configuration says.
    private func wait(_ line: ReferenceWritableKeyPath<Pool, Deque<Waiter<Connection>>>) async throws -> Connection {
        if let error = backoff.error, shared.isEmpty, leased == 0 { throw error }
        let waiter = Waiter<Connection>(on: loop)
        self[keyPath: line].append(waiter)
        let timer = loop.schedule(at: loop.now.advanced(by: configuration.acquireTimeout)) {
            waiter.resume(throwing: PostgresError(.busy, message: "no connection was free in time"))
        }
        let activity = Activity.current
        let phase = activity?.phase
        activity?.phase = .waitingForConnection
        defer {
            timer.cancel()
            if let phase { activity?.phase = phase }
        }
        return try await waiter.value()
    }

    /// Gives connections to those that wait, lessees first: there are always reads.
    private func serveWaiting() {
        while let first = lessees.first {
            if first.isResumed {
                lessees.removeFirst()
            } else if let connection = takeIdle() {
                lessees.removeFirst().resume(returning: connection)
            } else {
                break
            }
        }
        while let first = readers.first {
            if first.isResumed {
                readers.removeFirst()
            } else if let connection = leastBusy() {
                readers.removeFirst().resume(returning: connection)
            } else {
                break
            }
        }
    }

    // MARK: Opening

    private func openAnother() {
        guard !isOpening, shared.count + leased < configuration.connections else { return }
        guard backoff.allowsTrying(at: loop.now) else { return }
        isOpening = true
        Task(executorPreference: loop) { await self.open() }
    }

    private func open() async {
        do {
            let connection = try await Connection.open(configuration)
            connection.onProgress = { [unowned self, unowned connection] in progressed(connection) }
            shared.append(connection)
            backoff = Backoff()
        } catch {
            failedToOpen(error as? PostgresError ?? PostgresError(.unreachable, message: "\(error)"))
        }
        isOpening = false
        serveWaiting()
    }

    private func failedToOpen(_ error: PostgresError) {
        log.error("cannot connect: \(error)")
        backoff.failed(error, at: loop.now)
        // Tried again without being asked, so that the first request after the database has come back finds it.
        loop.schedule(at: backoff.until) { [weak self] in self?.openAnother() }
        guard shared.isEmpty, leased == 0 else { return }
        for waiter in readers + lessees { waiter.resume(throwing: error) }
    }

    private func progressed(_ connection: Connection) {
        if !connection.isOpen { shared.removeAll { $0 === connection } }
        if !readers.isEmpty || !lessees.isEmpty { serveWaiting() }
    }
}
