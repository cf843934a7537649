import HTTPTypes

extension Operation.Response {
    /// Returns the error responses that every request can get.
    /// - Parameter changes: whether the operation changes data. If it does, the descriptions of 502 and 504 say that
    ///   the change may have been made.
    public static func failures(changes: Bool) -> [Operation.Response] {
        let retry: [(HTTPField.Name, String)] = [(.retryAfter, "Seconds to wait before a retry.")]
        let unknown = changes ? " The change may have been made." : ""
        return [
            .error(.tooManyRequests, "The client has too many requests in progress.", headers: retry),
            .error(.internalServerError, "An unexpected error in the service."),
            .error(.badGateway, "The connection to the worker or to the database was lost." + unknown),
            .error(
                .serviceUnavailable, "Temporarily unavailable. Nothing was changed: retry the request.",
                headers: retry),
            .error(.gatewayTimeout, "The request timed out." + unknown),
        ]
    }
}
