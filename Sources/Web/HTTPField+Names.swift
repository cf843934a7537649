import HTTPTypes

extension HTTPField.Name {
    // Sound: all of them are tokens (RFC 9110, section 5.1).
    /// The header field `X-Request-Id`: the request ID, which the response and all log lines of the request contain.
    public static let requestID = Self("X-Request-Id")!
    /// The header field `Host`. `HTTPTypes` declares this name unavailable, in favor of `HTTPRequest.authority`.
    public static let hostName = Self("Host")!
    /// The header field `Prefer`: the client's preferences for the handling of a request (RFC 7240).
    public static let prefer = Self("Prefer")!
    /// The header field `Preference-Applied`: the preferences that were honored (RFC 7240).
    public static let preferenceApplied = Self("Preference-Applied")!
    /// The header field `Link`, such as a link to the next page (RFC 8288).
    public static let link = Self("Link")!
    /// The header field `X-Total-Count`: the number of rows that match a list's filters, regardless of the limit.
    public static let totalCount = Self("X-Total-Count")!
    /// The header field `Idempotency-Key`: a key that the client chooses so that a request is executed only once, even
    /// when the client retries the request.
    public static let idempotencyKey = Self("Idempotency-Key")!
    /// The header field `X-Database-Position`: the WAL position of a write's commit. Clients send the position with
    /// reads that must see that write.
    public static let databasePosition = Self("X-Database-Position")!
}
