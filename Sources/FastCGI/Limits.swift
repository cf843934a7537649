/// What a server allows a peer, so that no peer can hold memory or a connection for long.
public struct Limits: Sendable {
    /// The largest body, in bytes, 1 GiB at most; a larger one is read to its end, thrown away and answered 413.
    public var bodyBytes: Int
    /// The largest sum of all params, in bytes. nginx's own limits on header lines keep it well below the default.
    public var paramsBytes: Int
    /// Bytes of responses that may wait for their peers to read them, all connections together: one that would make it more is
    /// answered 503, or 502 when the request may have changed something. A single response may be larger.
    public var heldBytes: Int
    /// How long a request may take to arrive, and a peer to make room for its response.
    public var patience: Duration
    /// How long a draining server waits for its peers.
    public var drain: Duration
    /// How long the application may take to answer, until the response begins; nginx's `fastcgi_read_timeout` must be longer.
    public var answer: Duration

    /// Makes limits; the defaults are 1 MiB, 128 KiB, 64 MiB, 10 s, 30 s and 25 s.
    public init(
        bodyBytes: Int = 1 << 20, paramsBytes: Int = 128 << 10, heldBytes: Int = 64 << 20,
        patience: Duration = .seconds(10), drain: Duration = .seconds(30), answer: Duration = .seconds(25)
    ) {
        self.bodyBytes = min(bodyBytes, 1 << 30)  // libfcgi counts in Int32.
        self.paramsBytes = paramsBytes
        self.heldBytes = heldBytes
        self.patience = patience
        self.drain = drain
        self.answer = answer
    }
}
