/// The failure of a statement or a connection.
///
/// The error's description is for logs only: it quotes Postgres's message, which may contain data. Never include it in
/// a response.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public enum Kind: Hashable, Sendable {
        /// The server reported an error, or libpq did not accept the statement.
        case server
        /// No connection could be established.
        case unreachable
        /// The connection was closed before the statement was sent, so that the statement was not executed.
        case notSent
        /// The connection was lost while the statement was in flight, so that it is unknown whether the statement was
        /// executed.
        case lost
        /// The server terminated the session instead of returning a result. The statement was not executed, unless it
        /// was a COMMIT, for which this is unknown.
        case terminated
        /// An earlier statement of the same batch failed, so that this one was not executed.
        case aborted
        /// No connection of the pool became available in time.
        case busy
        /// The server did not return a result in time.
        case deadline
    }

    /// The kind of failure.
    public let kind: Kind
    /// The SQLSTATE; `nil` unless the server reported an error.
    public let state: SQLState?
    /// The message of Postgres, of libpq, or of this library.
    public let message: String
    /// Postgres's detail message, which contains data, such as the value of a duplicate key.
    public let detail: String?
    /// The name of the violated constraint, if one was violated.
    public let constraint: String?
    /// The table that the error refers to, if Postgres reports one; for a foreign key, the referencing table.
    public let table: String?
    /// The column that the error refers to, if Postgres reports one.
    public let column: String?
    /// What is known about the intended change; `nil` if the statement was not part of a change.
    public private(set) var change: Change?
    /// The position of the error in the statement's text, in characters, beginning with 1; `nil` if unknown.
    public let position: Int?
    /// The name of the C function that reported the error; `nil` unless the server did. Unlike the message, it is not
    /// translated.
    private let routine: String?

    init(
        _ kind: Kind, state: SQLState? = nil, message: String, detail: String? = nil, constraint: String? = nil,
        table: String? = nil, column: String? = nil, position: Int? = nil, routine: String? = nil, change: Change? = nil
    ) {
        self.kind = kind
        self.state = state
        self.message = message
        self.detail = detail
        self.constraint = constraint
        self.table = table
        self.column = column
        self.position = position
        self.routine = routine
        self.change = change
    }

    /// The error when the server rolled back a transaction instead of committing it, because a statement had failed.
    public static let rolledBack = PostgresError(
        .server, message: "the transaction had failed, and was rolled back", change: .notMade)

    /// The category of the error, which determines how to respond to the request that caused it.
    public var meaning: SQLState.Meaning {
        switch kind {
        case .server: state?.meaning ?? .defect
        case .unreachable, .notSent, .lost, .terminated, .aborted, .busy: .unavailable
        case .deadline: .timeout
        }
    }

    /// What is known about an intended change after an error.
    public enum Change: Sendable {
        /// The change was definitely not made.
        case notMade
        /// The change may have been made, or may still be made.
        case unknown
    }

    /// The role of a statement in a change of the database. The role and the kind of error determine whether the change
    /// may have been made although the statement failed.
    package enum Step: Sendable {
        /// The statement is the entire change, and commits by itself.
        case autocommit
        /// The statement is part of a transaction, which is rolled back if the connection is lost before the COMMIT.
        case inTransaction
        /// The statement is the COMMIT of a transaction.
        case commit
    }

    /// Runs `body`, which sends a statement of a change; if `body` throws a `PostgresError`, sets the error's `change`.
    /// - Throws: What `body` throws.
    package static func ofChange<Value>(_ step: Step = .autocommit, _ body: () async throws -> Value) async throws
        -> Value
    {
        do { return try await body() } catch var error as PostgresError {
            let isUnknown =
                switch step {
                case .autocommit: [.lost, .deadline].contains(error.kind)
                case .inTransaction: false
                case .commit: [.lost, .deadline, .terminated].contains(error.kind)
                }
            error.change = isUnknown ? .unknown : .notMade
            throw error
        }
    }

    /// Whether the error was caused by a stale prepared statement: the table has been altered, or the session was
    /// reset.
    ///
    /// After an ALTER TABLE, Postgres does not replan some of the statements that use the table's row type, for example
    /// `SELECT * FROM jsonb_populate_record(NULL::campaign, …)`, and finds the difference when it executes them.
    public var isStale: Bool {
        state == "26000" || routine == "RevalidateCachedQuery" || routine == "CheckVarSlotCompatibility"
    }

    /// Whether every server refused the connection for a reason that is not transient, such as a wrong password or an
    /// unknown role or database. The reason is derived from libpq's message, which has one line for each server,
    /// because libpq reports no SQLSTATE for a failed connection attempt.
    package var isRefusal: Bool {
        let transient = [
            "the database system is", "too many", "connection slots", "server login", "terminating connection",
            "canceling authentication",
        ]
        return kind == .unreachable && !message.isEmpty
            && message.split(separator: "\n").allSatisfy { line in
                line.contains("FATAL:") && !transient.contains { line.contains($0) }
            }
    }

    public var description: String { state.map { "\($0): \(message)" } ?? message }
}
