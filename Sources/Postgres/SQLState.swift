/// The five characters by which Postgres names an error (Postgres manual, appendix A).
public struct SQLState: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The code: `23505`.
    public let code: String

    public init(stringLiteral code: String) { self.code = code }

    init(_ code: String) { self.code = code }

    /// The first two characters: `23`.
    public var classCode: Substring { code.prefix(2) }

    public var description: String { code }
}

extension SQLState {
    /// What an error means for a request.
    public enum Meaning: Sendable {
        /// Other transactions were in the way; the whole transaction may be tried again.
        case serializationFailure
        /// The server is away, going away, full, or read-only: later may do.
        case unavailable
        /// A statement took too long, or was cancelled.
        case timeout
        /// What was written is there already, or is referred to.
        case constraintConflict
        /// A value is out of range, malformed, or against a constraint.
        case invalid
        /// Text that Postgres cannot hold: a NUL, bytes that are not UTF-8.
        case malformedText
        /// A statement that is wrong, or a schema that is not the expected one: ours to mend.
        case defect
    }

    /// What this error means for a request.
    public var meaning: Meaning {
        switch code {
        case "40001", "40P01": .serializationFailure
        case "25006", "55P03", "57P01", "57P02", "57P03": .unavailable
        case "57014": .timeout
        case "23505", "23503", "23P01": .constraintConflict
        case "23502", "23514", "22001", "22003", "22007", "22008", "22P02": .invalid
        case "22021", "22P05": .malformedText
        default: ["08", "28", "53"].contains(classCode) ? .unavailable : .defect
        }
    }
}
