import EventLoop
import SQL

/// Exclusive use of a connection of a pool by one task, for statements that write and for transactions.
///
/// A lease ends when the closure passed to `Pool.lease` returns or throws; later calls fail. `@unchecked Sendable` is
/// sound because a lease is used only on the event loop of its connection.
public final class Lease: @unchecked Sendable {
    private enum State {
        case active(Connection)
        /// A cancel request has been started. The task returns whether the request completed in time.
        case cancelled(Connection, Task<Bool, Never>)
        case ended
    }

    private var state: State

    /// Creates a lease of a connection that the caller opened, instead of one of a pool.
    package init(of connection: Connection) { state = .active(connection) }

    private var connection: Connection? {
        switch state {
        case .active(let connection), .cancelled(let connection, _): connection
        case .ended: nil
        }
    }

    /// Whether a transaction is open; also `true` while a statement is in flight.
    public var isInTransaction: Bool { connection?.isInTransaction ?? false }

    // MARK: Executing

    /// Executes a statement.
    /// - Throws: `PostgresError`; in a cancelled task `CancellationError`, without sending the statement.
    public func execute(_ statement: Statement) async throws -> Result {
        try await activeConnection().execute(statement)
    }

    /// Executes statements in one batch, atomically unless a transaction is open.
    /// - Throws: `PostgresError` of the first statement that fails; in a cancelled task `CancellationError`, without
    ///   sending the statements.
    public func execute(_ statements: [Statement]) async throws -> [Result] {
        try await activeConnection().execute(statements)
    }

    /// Executes a batch of statements that commits by autocommit or ends with a COMMIT. The commit's WAL position is
    /// recorded in the current causal session, if there is one. A query in the same pipeline reads the position,
    /// without an additional round trip.
    /// - Throws: Like `execute`; the `change` of a `PostgresError` tells whether the change was made.
    package func commit(_ statements: [Statement], _ step: PostgresError.Step = .autocommit) async throws -> [Result] {
        guard let session = CausalSession.current, !statements.isEmpty else {
            return try await PostgresError.ofChange(step) { try await execute(statements) }
        }
        let (last, outcome) = await (try activeConnection()).execute(statements, then: .primaryPosition)
        var row = last?.row(0)
        let position = try? row?.position()
        do {
            let results = try await PostgresError.ofChange(step) { try outcome.get() }
            session.wrote(position ?? .unknown)
            return results
        } catch {
            // The position, if known, is recorded for a rejected change, too: the client has seen the rows that caused
            // the rejection.
            let isUnknown = (error as? PostgresError)?.change == .unknown
            if let position = isUnknown ? position ?? .unknown : position { session.wrote(position) }
            throw error
        }
    }

    /// Executes a script of any number of statements without parameters.
    /// - Throws: `PostgresError`; in a cancelled task `CancellationError`, without sending the script.
    @discardableResult
    public func script(_ text: String) async throws -> Result { try await activeConnection().script(text) }

    /// Executes a ROLLBACK, even in a cancelled task.
    /// - Throws: `PostgresError`.
    package func rollBack(_ statement: Statement = "ROLLBACK") async throws {
        guard let connection else { throw Lease.hasEnded }
        _ = try await connection.execute(statement)
    }

    private func activeConnection() throws -> Connection {
        guard let connection else { throw Lease.hasEnded }
        try Task.checkCancellation()
        return connection
    }

    private static let hasEnded = PostgresError(.notSent, message: "the lease has ended")

    // MARK: Ending

    /// Cancels the running statement, if there is one, after a short delay. Most statements complete during the delay
    /// and need no cancel request, which costs a connection and a server process.
    func cancel() {
        guard let loop = connection?.loop else { return }
        loop.schedule(at: loop.now.advanced(by: Lease.cancellationDelay)) { [self] in
            guard case .active(let connection) = state, connection.depth > 0 else { return }
            state = .cancelled(connection, Task(executorPreference: loop) { await connection.cancel() })
        }
    }

    private static let cancellationDelay = Duration.milliseconds(50)

    /// Ends the lease.
    /// - Returns: The task of the cancel request that was started during the lease; `nil` if there was none.
    func end() -> Task<Bool, Never>? {
        defer { state = .ended }
        if case .cancelled(_, let request) = state { return request }
        return nil
    }
}
