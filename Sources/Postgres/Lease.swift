import EventLoop
import SQL

/// A connection that one task has for itself: for statements that write, and for transactions.
///
/// It ends with the body of `Pool.lease`: whoever has kept it is refused from then on. Sound as `@unchecked Sendable`: it is
/// touched on its connection's loop only.
public final class Lease: @unchecked Sendable {
    private enum State {
        case held(Connection)
        /// A cancel request is under way; the task returns whether it came back in time.
        case cancelled(Connection, Task<Bool, Never>)
        case ended
    }

    private var state: State

    /// Makes a lease of a connection that the caller has opened for itself.
    package init(of connection: Connection) { state = .held(connection) }

    private var connection: Connection? {
        switch state {
        case .held(let connection), .cancelled(let connection, _): connection
        case .ended: nil
        }
    }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { connection?.isInTransaction ?? false }

    // MARK: Executing

    /// Runs a statement.
    /// - Throws: `PostgresError`; `CancellationError`, without having sent anything, in a task that was cancelled.
    public func execute(_ statement: Statement) async throws -> Result {
        try await usable().execute(statement)
    }

    /// Runs statements in one packet, all or none of them unless a transaction is open.
    /// - Throws: `PostgresError`: the first one's that fails; `CancellationError`, without having sent anything, in a task that
    ///   was cancelled.
    public func execute(_ statements: [Statement]) async throws -> [Result] {
        try await usable().execute(statements)
    }

    /// Runs statements that end with a commit, and records the commit's WAL position in the current session, if there is one. The position is
    /// known only after the commit, and so is read behind it in the same pipeline: no round trip of its own.
    /// - Throws: as `execute`; a `PostgresError` says what became of the change.
    package func commit(_ statements: [Statement], _ step: PostgresError.Step = .whole) async throws -> [Result] {
        guard let session = CausalSession.current else {
            return try await PostgresError.ofChange(step) { try await execute(statements) }
        }
        let (last, outcome) = await (try usable()).execute(statements, then: .primaryPosition)
        var row = last?.row(0)
        let position = try? row?.position()
        do {
            let results = try await PostgresError.ofChange(step) { try outcome.get() }
            session.wrote(position ?? .unknown)
            return results
        } catch {
            // Of a change that was refused, too, if it is known: the client has seen what it was refused for.
            let isUnknown = (error as? PostgresError)?.change == .unknown
            if let position = isUnknown ? position ?? .unknown : position { session.wrote(position) }
            throw error
        }
    }

    /// Runs a text of any number of statements, which have no parameters.
    /// - Throws: as `execute`.
    @discardableResult
    public func script(_ text: String) async throws -> Result { try await usable().script(text) }

    /// Runs a ROLLBACK, also in a task that was cancelled.
    /// - Throws: `PostgresError`.
    package func rollBack(_ statement: Statement = "ROLLBACK") async throws {
        guard let connection else { throw Lease.hasEnded }
        _ = try await connection.execute(statement)
    }

    private func usable() throws -> Connection {
        guard let connection else { throw Lease.hasEnded }
        try Task.checkCancellation()
        return connection
    }

    private static let hasEnded = PostgresError(.notSent, message: "the lease has ended")

    // MARK: Ending

    /// Has Postgres give up the statement that is under way, if one is and does not end within a moment: most do, and the
    /// request costs a connection and a process of the server's.
    func cancel() {
        guard let loop = connection?.loop else { return }
        loop.schedule(at: loop.now.advanced(by: Lease.grace)) { [self] in
            guard case .held(let connection) = state, connection.depth > 0 else { return }
            state = .cancelled(connection, Task(executorPreference: loop) { await connection.cancel() })
        }
    }

    private static let grace = Duration.milliseconds(50)

    /// Ends the lease.
    /// - Returns: the cancel request that is under way, if one is.
    func end() -> Task<Bool, Never>? {
        defer { state = .ended }
        if case .cancelled(_, let request) = state { return request }
        return nil
    }
}
