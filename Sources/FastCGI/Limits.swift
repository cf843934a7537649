/// What a server allows a peer, so that no peer can hold memory or a connection for long.
public struct Limits: Sendable {
    /// The largest body, in bytes; a larger one is read to its end, thrown away and answered 413.
    public var bodyBytes: Int
    /// The largest sum of all params, in bytes. nginx's own limits on header lines keep it well below the default.
    public var paramsBytes: Int
    /// How long a request may take to arrive, and a peer to make room for its response.
    public var patience: Duration
    /// How long a draining server waits for its peers.
    public var drain: Duration
    /// How long the application may take to answer, until the response begins; nginx's `fastcgi_read_timeout` must be longer.
    public var answer: Duration

    /// Makes limits; the defaults are 1 MiB, 128 KiB, 10 s, 30 s and 25 s.
    public init(
        bodyBytes: Int = 1 << 20, paramsBytes: Int = 128 << 10, patience: Duration = .seconds(10),
        drain: Duration = .seconds(30), answer: Duration = .seconds(25)
    ) {
        self.bodyBytes = bodyBytes
        self.paramsBytes = paramsBytes
        self.patience = patience
        self.drain = drain
        self.answer = answer
    }
}
