import EventLoop

/// Statements that were sent together, and the continuation that waits for their results. An instance is used only on
/// the event loop of its connection.
final class InFlight {
    /// When the statements were sent.
    let sent: Instant
    /// Whether the statements are a script: a single text, sent outside pipeline mode. The end of a script's results is
    /// marked by libpq returning NULL instead of by the result of a sync.
    let isScript: Bool
    /// Whether the statements are followed by a sync.
    var endsBatch = false
    /// The number of commands sent: one for each statement, and one for each preparation or deallocation of a
    /// statement.
    private(set) var commands = 0
    /// The indexes of the commands that prepare or deallocate statements, whose results are not returned.
    private var internalCommands: [Int] = []
    /// The number of commands whose results have been received completely.
    private(set) var completedCommands = 0
    /// The statements that had to be prepared before execution, each with the index of the command that prepared it.
    var prepares: [(key: PreparedKey, command: Int)] = []
    private var results: [Result] = []
    private var last: Result?
    private var error: PostgresError?
    /// The index of the first command that failed; `nil` if none failed.
    private var failedCommand: Int?
    private let continuation: Continuation

    /// The continuation of the task that waits for the results.
    enum Continuation {
        /// A continuation that is resumed with the last result.
        case one(UnsafeContinuation<Result, any Error>)
        /// A continuation that is resumed with all results.
        case all(UnsafeContinuation<[Result], any Error>)
        /// A waiter that is resumed with the last result. Unlike a continuation, a waiter can be resumed before the
        /// task begins to wait.
        case waiter(Waiter<Result>)
    }

    init(_ continuation: Continuation, sent: Instant, isScript: Bool = false) {
        self.continuation = continuation
        self.sent = sent
        self.isScript = isScript
    }

    /// Counts a command that was sent.
    /// - Parameter isInternal: Whether the command prepares or deallocates a statement, so that its result is not
    ///   returned.
    func sentCommand(isInternal: Bool = false) {
        if isInternal { internalCommands.append(commands) }
        commands += 1
    }

    /// Stores a result of the current command.
    func receive(_ result: Result) {
        guard internalCommands.isEmpty || !internalCommands.contains(completedCommands) else { return }
        if case .all = continuation, let last { results.append(last) }
        last = result
    }

    /// Stores the error of the current command, unless an earlier command has failed.
    func fail(with error: PostgresError) {
        guard self.error == nil else { return }
        self.error = error
        failedCommand = completedCommands
    }

    /// Records that the current command has no more results, which libpq reports by returning NULL.
    /// - Returns: Whether the command was the last one.
    func commandEnded() -> Bool {
        completedCommands += 1
        return completedCommands == commands
    }

    /// The statements whose preparation failed or was aborted.
    var failedPreparations: [PreparedKey] {
        guard let failedCommand else { return [] }
        return prepares.filter { $0.command >= failedCommand }.map(\.key)
    }

    /// Resumes the continuation with the results, or with the stored error.
    func finish(at now: Instant) {
        guard error == nil, let last else { return fail(error ?? Connection.lost) }
        last.received = now
        last.wasPrepared = prepares.isEmpty
        last.sent = sent
        switch continuation {
        case .one(let task): task.resume(returning: last)
        case .all(let task): task.resume(returning: results + [last])
        case .waiter(let waiter): waiter.resume(returning: last)
        }
    }

    /// Resumes the continuation with an error. If the server terminated the session with an error, that error takes
    /// precedence, because it is more specific than the loss of the connection.
    func fail(_ error: PostgresError) {
        let error = self.error.flatMap { $0.kind == .terminated ? $0 : nil } ?? error
        switch continuation {
        case .one(let task): task.resume(throwing: error)
        case .all(let task): task.resume(throwing: error)
        case .waiter(let waiter): waiter.resume(throwing: error)
        }
    }
}
