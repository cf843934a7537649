import EventLoop

/// Statements that were sent together, and the task that waits for what they return: touched on its connection's loop only.
final class InFlight {
    /// When they were sent.
    let sent: Instant
    /// How long the answer may take.
    let limit: Duration
    /// Whether they end with libpq's NULL, outside a pipeline, and not with a sync.
    let isScript: Bool
    /// Whether a sync follows them.
    var endsBatch = false
    /// How many commands were sent.
    private(set) var commands = 0
    /// Those that nobody has asked for, which prepare statements and give old ones up: their results are not returned.
    private var ours: [Int] = []
    /// How many it has ended.
    private(set) var ended = 0
    /// What they prepared on their way, and with which command.
    var prepares: [(key: PreparedKey, command: Int)] = []
    private var results: [Result] = []
    private var last: Result?
    private var error: PostgresError?
    /// The command that failed.
    private var failed: Int?
    private let continuation: Continuation

    /// Who waits: for one result, or for all of them.
    enum Continuation {
        case one(UnsafeContinuation<Result, any Error>)
        case all(UnsafeContinuation<[Result], any Error>)
        /// A task that waits for something else first.
        case later(Waiter<Result>)
    }

    init(_ continuation: Continuation, sent: Instant, limit: Duration, isScript: Bool = false) {
        self.continuation = continuation
        self.sent = sent
        self.limit = limit
        self.isScript = isScript
    }

    /// Counts a command that was sent.
    func sentCommand(isOurs: Bool = false) {
        if isOurs { ours.append(commands) }
        commands += 1
    }

    /// Keeps a result of the command that libpq is at.
    func take(_ result: Result) {
        guard ours.isEmpty || !ours.contains(ended) else { return }
        if case .all = continuation, let last { results.append(last) }
        last = result
    }

    /// Keeps why the command that libpq is at has failed: the first error counts.
    func fail(with error: PostgresError) {
        guard self.error == nil else { return }
        self.error = error
        failed = ended
    }

    /// Notes libpq's NULL.
    /// - Returns: whether that was the last command.
    func commandEnded() -> Bool {
        ended += 1
        return ended == commands
    }

    /// What was not prepared after all.
    var unprepared: [PreparedKey] {
        guard let failed else { return [] }
        return prepares.filter { $0.command >= failed }.map(\.key)
    }

    /// Wakes the task with what came.
    func finish(at now: Instant) {
        guard error == nil, let last else { return fail(error ?? Connection.lost) }
        last.received = now
        last.wasPrepared = prepares.isEmpty
        last.sent = sent
        switch continuation {
        case .one(let task): task.resume(returning: last)
        case .all(let task): task.resume(returning: results + [last])
        case .later(let waiter): waiter.resume(returning: last)
        }
    }

    /// Wakes the task with an error. What the server said when it ended the session tells more than that the connection is lost.
    func fail(_ error: PostgresError) {
        let error = self.error.flatMap { $0.kind == .terminated ? $0 : nil } ?? error
        switch continuation {
        case .one(let task): task.resume(throwing: error)
        case .all(let task): task.resume(throwing: error)
        case .later(let waiter): waiter.resume(throwing: error)
        }
    }
}
