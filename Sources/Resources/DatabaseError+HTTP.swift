import HTTPTypes
import ORM
import Web

/// Converts database errors to error responses, which tell clients what to do and reveal neither SQL nor data.
extension DatabaseError: HTTPErrorConvertible {
    public var httpError: HTTPError { change == .unknown ? unknownOutcome : knownOutcome }

    private var knownOutcome: HTTPError {
        switch meaning {
        case .unavailable where kind == .busy:
            HTTPError(
                .serviceUnavailable,
                "All database connections are in use. Try again in a moment, or request a list in pages (limit).",
                headers: [.retryAfter: "1"])
        case .unavailable, .serializationFailure:
            HTTPError(
                .serviceUnavailable, "The database is not available. Try again in a moment.",
                headers: [.retryAfter: "1"])
        case .timeout where change == .notMade:
            HTTPError(
                .serviceUnavailable,
                "The database took too long, and nothing was changed. Try again in a moment, or with fewer rows.",
                headers: [.retryAfter: "1"])
        case .timeout: HTTPError(.gatewayTimeout, "The database took too long to answer.")
        case .constraintConflict: HTTPError(.conflict, "The change conflicts with existing data.")
        case .invalid: HTTPError(.unprocessableContent, "A value is out of range.")
        case .malformedText: HTTPError(.badRequest, "The text contains a character that cannot be stored.")
        case .defect: HTTPError(.internalServerError, "Internal Server Error")
        }
    }

    /// The response when the outcome of a change is unknown: the change may have been committed, or may be committed
    /// later. The response has no `Retry-After`, since a retry could apply the change twice.
    private var unknownOutcome: HTTPError {
        let status: HTTPResponse.Status = kind == .deadline ? .gatewayTimeout : .badGateway
        return HTTPError(
            status, "The database did not confirm the change: it may have been made. Check before you send it again.")
    }
}
