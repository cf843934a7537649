import HTTPTypes

extension HTTPField.Name {
    // Sound: all of them are tokens (RFC 9110, section 5.1).
    /// `X-Request-Id`: identifies a request for the client, in responses and in the log.
    public static let requestID = Self("X-Request-Id")!
    /// `Host`, which CGI passes like any other header field.
    public static let hostName = Self("Host")!
    /// `Prefer` (RFC 7240).
    public static let prefer = Self("Prefer")!
    /// `Preference-Applied` (RFC 7240).
    public static let preferenceApplied = Self("Preference-Applied")!
    /// `Link` (RFC 8288).
    public static let link = Self("Link")!
    /// `X-Total-Count`: the number of rows that match a list's filters, regardless of the limit.
    public static let totalCount = Self("X-Total-Count")!
    /// `Idempotency-Key`: a key that the client chooses so that a request is executed only once, even when it is
    /// retried.
    public static let idempotencyKey = Self("Idempotency-Key")!
    /// `X-Database-Position`: the WAL position of a write's commit. Clients send it with reads that must see that
    /// write.
    public static let databasePosition = Self("X-Database-Position")!
}
