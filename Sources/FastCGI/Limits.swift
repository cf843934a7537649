/// Limits on requests, responses and waiting times, so that no peer can occupy memory or a connection for long.
public struct Limits: Sendable {
    /// The maximum size of a request body, in bytes; at most 1 GiB. A larger body is read to its end, discarded and
    /// responded to with 413.
    public let bodyBytes: Int
    /// The maximum total size of a request's params, in bytes. The params that nginx sends stay well below the default,
    /// because nginx limits request headers itself.
    public var paramsBytes: Int
    /// The maximum number of bytes of responses that wait for their peers to read them, over all connections. A
    /// response that would exceed this limit is replaced with 503, or with 502 when the request may have changed
    /// something. A single larger response is allowed while no other response waits. Streamed responses, and bodies of
    /// up to 8,184 bytes, do not count.
    public var outputBacklogBytes: Int
    /// How long a peer may take to send a request, or to make room for its response.
    public var peerTimeout: Duration
    /// How long a draining server waits for its peers to close their connections.
    public var drainTimeout: Duration
    /// How long the application may take until its response begins. nginx's `fastcgi_read_timeout` must be longer than
    /// this.
    public var requestTimeout: Duration

    /// Creates limits. The defaults are 1 MiB for bodies, 128 KiB for params, 64 MiB of output backlog, and timeouts of
    /// 10 s (peer), 30 s (drain) and 25 s (request).
    public init(
        bodyBytes: Int = 1 << 20, paramsBytes: Int = 128 << 10, outputBacklogBytes: Int = 64 << 20,
        peerTimeout: Duration = .seconds(10), drainTimeout: Duration = .seconds(30),
        requestTimeout: Duration = .seconds(25)
    ) {
        self.bodyBytes = min(bodyBytes, 1 << 30)  // libfcgi counts in Int32.
        self.paramsBytes = paramsBytes
        self.outputBacklogBytes = outputBacklogBytes
        self.peerTimeout = peerTimeout
        self.drainTimeout = drainTimeout
        self.requestTimeout = requestTimeout
    }
}
