import HTTPTypes

extension HTTPField.Name {
    // Sound: all are tokens (RFC 9110, section 5.1).
    /// `X-Request-Id`, by which client, server and log name a request.
    public static let requestID = Self("X-Request-Id")!
    /// `Host`, as CGI passes it: one header field among the others.
    public static let hostName = Self("Host")!
    /// `Prefer` (RFC 7240).
    public static let prefer = Self("Prefer")!
    /// `Preference-Applied` (RFC 7240).
    public static let preferenceApplied = Self("Preference-Applied")!
    /// `Link` (RFC 8288).
    public static let link = Self("Link")!
    /// `X-Total-Count`: how many rows a list has, whatever the limit.
    public static let totalCount = Self("X-Total-Count")!
    /// `Idempotency-Key`: the client's name for a request that is carried out once, however often it is sent.
    public static let idempotencyKey = Self("Idempotency-Key")!
    /// `X-Database-Position`: the WAL position of a write's commit, which the client sends with the reads that must see it.
    public static let databasePosition = Self("X-Database-Position")!
}
