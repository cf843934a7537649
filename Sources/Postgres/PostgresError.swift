/// Why Postgres did not do what a statement asked for.
///
/// Its description is for logs. It quotes what Postgres said, which may hold data: never put it into a response.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// Where it failed.
    public enum Kind: Hashable, Sendable {
        /// Postgres answered with an error.
        case server
        /// No connection could be made.
        case unreachable
        /// The connection was closed before the statement was sent: it was not carried out.
        case notSent
        /// The connection was lost while the statement was under way: whether it was carried out is not known.
        case lost
        /// Postgres ended the session in place of answering: the statement was not carried out, unless it was a COMMIT.
        case terminated
        /// A statement before it in the same batch failed, and took it along: it was not carried out.
        case aborted
        /// No connection was free in time.
        case busy
        /// Postgres did not answer in time.
        case deadline
    }

    /// Where it failed.
    public let kind: Kind
    /// Postgres's code; only there when Postgres answered.
    public let state: SQLState?
    /// What Postgres, or libpq, said.
    public let message: String
    /// What Postgres said besides: of a key, its value. It holds data.
    public let detail: String?
    /// The constraint that was violated, if one was.
    public let constraint: String?
    /// The column that the error is about, if Postgres says so.
    public let column: String?
    /// What became of a change that was to be made; `nil` when nothing was to be changed.
    public private(set) var change: Change?
    /// Where in the statement's text the error was found, in characters from 1.
    public let position: Int?

    init(
        _ kind: Kind, state: SQLState? = nil, message: String, detail: String? = nil, constraint: String? = nil,
        column: String? = nil,
        position: Int? = nil
    ) {
        self.kind = kind
        self.state = state
        self.message = message
        self.detail = detail
        self.constraint = constraint
        self.column = column
        self.position = position
    }

    /// A transaction that was to be committed had failed before, and nobody had noticed.
    public static let rolledBack = PostgresError(.server, message: "the transaction had failed, and was rolled back")

    /// What it means for the request that it happened in.
    public var meaning: SQLState.Meaning {
        switch kind {
        case .server: state?.meaning ?? .defect
        case .unreachable, .notSent, .lost, .terminated, .aborted, .busy: .unavailable
        case .deadline: .timeout
        }
    }

    /// What became of a change.
    public enum Change: Sendable {
        /// It was certainly not made.
        case notMade
        /// It may have been made, or may still be.
        case unknown
    }

    /// The part that a statement has in a change.
    package enum Step: Sendable {
        /// It is the whole of it, and commits by itself.
        case whole
        /// It stands in a transaction, which ends with the connection if not with a COMMIT.
        case inTransaction
        case commit
    }

    /// Sends a change; an error says what became of it.
    /// - Throws: what `body` throws.
    package static func ofChange<Value>(_ step: Step = .whole, _ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch var error as PostgresError {
            let isUnknown =
                switch step {
                case .whole: [.lost, .deadline].contains(error.kind)
                case .inTransaction: false
                case .commit: [.lost, .deadline, .terminated].contains(error.kind)
                }
            error.change = isUnknown ? .unknown : .notMade
            throw error
        }
    }

    /// Whether what was prepared does not fit any more: the table was changed, or the session was reset.
    public var isStale: Bool {
        state == "26000" || state == "0A000" && message.hasPrefix("cached plan must not change result type")
            || isOfFormerRow
    }

    /// Whether a prepared statement makes rows of a type that has changed, which Postgres does not plan it anew for:
    /// `jsonb_populate_record(NULL::campaign, …)`.
    private var isOfFormerRow: Bool {
        message.hasPrefix("attribute ")
            && (state == "42804" && message.hasSuffix(" of type record has wrong type")
                || state == "42703" && message.hasSuffix(" of type record has been dropped"))
    }

    /// Whether every server has refused the connection for a reason that is not transient: the role, the password, the database. Of a
    /// failed connection, libpq has no SQLSTATE, only a message: a line for each server.
    package var isRefusal: Bool {
        let transient = ["the database system is", "too many", "connection slots", "server login"]
        return kind == .unreachable
            && message.split(separator: "\n").allSatisfy { line in
                line.contains("FATAL:") && !transient.contains { line.contains($0) }
            }
    }

    public var description: String { state.map { "\($0): \(message)" } ?? message }
}
