/// An SQLSTATE error code of five characters (Postgres manual, appendix A).
public struct SQLState: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The five characters of the code: `23505`.
    public let code: String

    public init(stringLiteral code: String) { self.code = code }

    init(_ code: String) { self.code = code }

    /// The error class: the first two characters, such as `23`.
    public var classCode: Substring { code.prefix(2) }

    public var description: String { code }
}

extension SQLState {
    /// What an error means for the request that caused it.
    public enum Meaning: Sendable {
        /// A conflict with concurrent transactions; the whole transaction may be retried.
        case serializationFailure
        /// The server is unreachable, shutting down, read-only or out of resources, rejects the login, or does not
        /// grant a lock; a later attempt may succeed.
        case unavailable
        /// The statement timed out or was cancelled.
        case timeout
        /// A violation of a unique, exclusion or foreign key constraint: the row conflicts with another row, references
        /// a missing row, or is still referenced.
        case constraintConflict
        /// A value is malformed, out of range or too long, or violates a NOT NULL or CHECK constraint.
        case invalid
        /// Text that Postgres cannot store: it contains a NUL character or is not valid UTF-8.
        case malformedText
        /// An invalid statement, or a schema that differs from the expected one: a defect of the application.
        case defect
    }

    /// What this error means for the request that caused it.
    public var meaning: Meaning {
        switch code {
        case "40001", "40P01": .serializationFailure
        case "25006", "55P03", "57P01", "57P02", "57P03": .unavailable
        case "57014": .timeout
        case "23505", "23503", "23P01": .constraintConflict
        case "23502", "23514", "22001", "22003", "22007", "22008", "22P02", "54000": .invalid
        case "22021", "22P05": .malformedText
        default: ["08", "28", "53"].contains(classCode) ? .unavailable : .defect
        }
    }
}
