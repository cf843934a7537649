import EventLoop

/// A statement that was sent, and the task that waits for what it returns.
struct InFlight {
    /// When it was sent.
    let sent: Instant
    /// When its answer is due.
    let deadline: Instant
    /// How many of its commands libpq has still to end: one, or two when it is prepared on its way.
    var commands: Int
    /// What it prepared on its way, when it was the first of its kind on its connection.
    let prepares: PreparedKey?
    /// Whether it ends with libpq's NULL, outside a pipeline, and not with a sync.
    let isScript: Bool
    /// What it returned, so far.
    var result: Result?
    /// Why it failed: the first error, when there are more.
    var error: PostgresError?
    private let continuation: UnsafeContinuation<Result, any Error>

    init(
        _ continuation: UnsafeContinuation<Result, any Error>, sent: Instant, limit: Duration,
        prepares: PreparedKey? = nil,
        isScript: Bool = false
    ) {
        self.continuation = continuation
        self.sent = sent
        self.deadline = sent.advanced(by: limit)
        self.prepares = prepares
        commands = prepares == nil ? 1 : 2
        self.isScript = isScript
    }

    /// Wakes the task with what came.
    func finish() {
        guard error == nil, let result else { return fail(error ?? Connection.lost) }
        continuation.resume(returning: result)
    }

    /// Wakes the task with an error.
    func fail(_ error: PostgresError) { continuation.resume(throwing: error) }
}

/// What tells prepared statements apart: their text, and the types of their parameters.
struct PreparedKey: Hashable {
    let text: String
    let types: [UInt32]

    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
