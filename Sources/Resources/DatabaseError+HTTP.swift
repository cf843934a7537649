import HTTPTypes
import ORM
import Web

/// What clients get to know of an error of the database's: what to do, and nothing of SQL or data.
extension DatabaseError: HTTPErrorConvertible {
    public var httpError: HTTPError { change == .unknown ? unknownOutcome : knownOutcome }

    private var knownOutcome: HTTPError {
        switch meaning {
        case .unavailable where kind == .busy:
            HTTPError(
                .serviceUnavailable,
                "All connections to the database are in use. Try again in a moment; of a list, ask for a page (limit).",
                headers: [.retryAfter: "1"])
        case .unavailable, .serializationFailure:
            HTTPError(
                .serviceUnavailable, "The database is not available. Try again in a moment.",
                headers: [.retryAfter: "1"])
        case .timeout where change == .notMade:
            HTTPError(
                .serviceUnavailable,
                "The database took too long, and nothing was changed. Try again in a moment, or change fewer rows at once.",
                headers: [.retryAfter: "1"])
        case .timeout: HTTPError(.gatewayTimeout, "The database took too long to answer.")
        case .constraintConflict: HTTPError(.conflict, "This is in conflict with what is there already.")
        case .invalid: HTTPError(.unprocessableContent, "A value is out of range.")
        case .malformedText: HTTPError(.badRequest, "The text has a character in it that cannot be stored.")
        case .defect: HTTPError(.internalServerError, "Internal Server Error")
        }
    }

    /// A change that may have been carried out, or may still be: no `Retry-After`, since a client that repeats it may do it twice.
    private var unknownOutcome: HTTPError {
        let status: HTTPResponse.Status = kind == .deadline ? .gatewayTimeout : .badGateway
        return HTTPError(
            status, "The database did not confirm the change: it may have been made. Look before you send it again.")
    }
}
