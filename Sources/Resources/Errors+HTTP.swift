import HTTPTypes
import ORM
import Web

extension ResourceError: HTTPErrorConvertible {
    public var httpError: HTTPError { httpError(of: "row") }

    /// Returns the error response.
    /// - Parameter name: a singular noun for a row of the resource, used in the message: `campaign`.
    func httpError(of name: String) -> HTTPError {
        switch self {
        case .notFound: HTTPError(.notFound, "\(name.prefix(1).uppercased() + name.dropFirst()) not found.")
        case .changed:
            HTTPError(
                .preconditionFailed,
                "The \(name) has changed since you read it: get it again, and check what has changed.")
        case .keyUsedForAnother:
            HTTPError(
                .unprocessableContent, "This Idempotency-Key was used for another request: use a new one.")
        case .keyInUse:
            HTTPError(
                .conflict, "A request with this Idempotency-Key is in progress. Try again in a moment.",
                headers: [.retryAfter: "1"])
        }
    }
}

extension ConstraintViolation: HTTPErrorConvertible {
    public var httpError: HTTPError { httpError(index: nil) }

    /// Returns the error response for the violated constraint.
    /// - Parameter index: the index of the invalid element when the body is an array of rows.
    func httpError(index: Int?) -> HTTPError {
        let message =
            switch kind {
            case .duplicate: "is already taken"
            case .missingReference: "refers to a row that does not exist"
            case .check: "is out of range"
            case .missingValue: "is required"
            case .referenced: "Other rows refer to this one."
            }
        let status: HTTPResponse.Status = [.duplicate, .referenced].contains(kind) ? .conflict : .unprocessableContent
        guard kind != .referenced else { return HTTPError(status, message) }
        let sentence = "\(column ?? "A value") \(message)."
        return HTTPError(status, sentence, fields: column.map { [HTTPError.Field($0, sentence, index: index)] } ?? [])
    }
}
