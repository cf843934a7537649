import HTTPTypes
import ORM
import Web

extension CampaignError: HTTPErrorConvertible {
    var httpError: HTTPError {
        switch self {
        case .notFound: HTTPError(.notFound, "Campaign not found.")
        }
    }
}

/// What clients get to know of an error of the database's: what to do, and nothing of SQL or data.
extension DatabaseError: HTTPErrorConvertible {
    public var httpError: HTTPError {
        switch meaning {
        case .unavailable, .conflict:
            HTTPError(
                .serviceUnavailable, "The database is not available. Try again in a moment.",
                headers: [.retryAfter: "1"])
        case .timeout: HTTPError(.gatewayTimeout, "The database took too long to answer.")
        case .duplicate: HTTPError(.conflict, "This is in conflict with what is there already.")
        case .invalid: HTTPError(.unprocessableContent, "A value is out of range.")
        case .malformedText: HTTPError(.badRequest, "The text has a character in it that cannot be stored.")
        case .defect: HTTPError(.internalServerError, "Internal Server Error")
        }
    }
}
