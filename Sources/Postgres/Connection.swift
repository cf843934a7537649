import DequeModule
import EventLoop
import SQL

/// A connection to Postgres that carries the statements of many tasks concurrently, in libpq's pipeline mode (Postgres
/// manual, section 34.5).
///
/// A statement sent by `execute` ends with its own sync message. The statements sent by `read` in one event loop
/// iteration share a sync, and thus one packet in each direction and one transaction: when one of them fails, the later
/// ones are aborted and have to be sent again. Results arrive in the order of the statements.
///
/// `@unchecked Sendable` is sound because a connection is used only on the thread of its event loop.
public final class Connection: @unchecked Sendable {
    private let session: Session
    /// The event loop that the connection is bound to.
    let loop: Loop
    private let configuration: PostgresConfiguration
    private var watch: Watch?
    private var timer: Timer?
    /// The time at which the last batch was completed.
    private var progressed = Instant.now
    private var inFlight = Deque<InFlight>()
    /// The number of requests at the head of `inFlight` that have all their results and wait for their batch's sync.
    private var completed = 0
    /// Whether statements were passed to libpq after the last sync.
    private var isUnsynced = false
    private var isWaitingForWritability = false
    /// Whether a COPY to the client is in progress. Its data is discarded.
    private var isCopyingOut = false
    private var prepared = PreparedStatements()

    /// Called with the text of each notice that the server sends: `WARNING: there is no transaction in progress`.
    public var onNotice: ((String) -> Void)? {
        get { session.onNotice }
        set { session.onNotice = newValue }
    }

    /// Called once, when the connection is closed or lost.
    var onClose: () -> Void = {}

    /// Opens a connection that is bound to the caller's event loop.
    /// - Throws: `PostgresError` of kind `unreachable` with libpq's message.
    public static func open(_ configuration: PostgresConfiguration) async throws -> Connection {
        guard let loop = Loop.current else {
            preconditionFailure("a connection is bound to an event loop: open it on a loop's thread")
        }
        let session = try await HostSearch.session(on: loop, configuration.candidates)
        return try Connection(session, on: loop, configuration)
    }

    private init(_ session: Session, on loop: Loop, _ configuration: PostgresConfiguration) throws {
        self.session = session
        self.loop = loop
        self.configuration = configuration
        watch = try loop.watch(session.socket, for: Connection.interest) { [unowned self] in ready($0) }
    }

    deinit {
        onClose = {}
        close()
    }

    private static let interest: Readiness = [.readable, .peerClosed]

    /// Whether the connection is open, so that statements can be sent.
    public var isOpen: Bool { watch != nil }

    /// The pipeline depth: the number of requests that wait for their results. A request has one or more statements.
    public var depth: Int { inFlight.count }

    /// Whether the connection is open on both sides, according to the socket's state. No round trip is made. If the
    /// server has closed the connection, reading this property closes this side too.
    var isAlive: Bool {
        guard isOpen else { return false }
        guard !session.isConnected else { return true }
        close()
        return false
    }

    /// Whether a transaction is open on the connection. Also `true` while a statement is in flight, because libpq does
    /// not distinguish the two.
    public var isInTransaction: Bool { isOpen && session.isInTransaction }

    /// Whether the connection is open, with neither a statement in flight nor an open transaction.
    var isIdle: Bool { isOpen && inFlight.isEmpty && !session.isInTransaction }

    // MARK: Sending

    /// Executes a statement after those in flight, and waits for the statement's result. Unless a transaction is open,
    /// the statement is executed as its own transaction, which has ended when this method returns.
    ///
    /// If the prepared statement is stale (the table has been altered, or the session was reset), the statement is
    /// prepared and executed again, unless a transaction is open.
    /// - Throws: `PostgresError`.
    public func execute(_ statement: Statement) async throws -> Result {
        try await retryingIfStale {
            try await withUnsafeThrowingContinuation { submit(CollectionOfOne(statement), .one($0), hasOwnSync: true) }
        }
    }

    /// Executes statements in one batch, and waits for the results of all of them. Unless a transaction is open, the
    /// statements are executed as one transaction, and all of them are executed again if a prepared statement was
    /// stale.
    /// - Throws: `PostgresError` of the first statement that fails; no later one is executed.
    public func execute(_ statements: [Statement]) async throws -> [Result] {
        guard !statements.isEmpty else { return [] }
        return try await retryingIfStale {
            try await withUnsafeThrowingContinuation { submit(statements, .all($0), hasOwnSync: true) }
        }
    }

    /// Executes `statements` in one batch and then, without an additional round trip, `other` in a separate batch.
    /// - Returns: The result of `other`, or `nil` if `other` failed; and the results or the error of `statements`.
    func execute(
        _ statements: [Statement], then other: Statement
    ) async -> (other: Result?, outcome: Swift.Result<[Result], any Error>) {
        var last = Waiter<Result>(on: loop)
        do {
            let results = try await retryingIfStale {
                last = Waiter<Result>(on: loop)
                do {
                    return try await withUnsafeThrowingContinuation { continuation in
                        submit(statements, .all(continuation), hasOwnSync: true)
                        submit(CollectionOfOne(other), .waiter(last), hasOwnSync: true)
                    }
                } catch {
                    // libpq reports the transaction status only when no statement is in flight.
                    _ = try? await last.outcome()
                    throw error
                }
            }
            return (try? await last.outcome(), .success(results))
        } catch { return (try? await last.outcome(), .failure(error)) }
    }

    /// Executes a read-only statement in one batch with the other reads of this event loop iteration, and waits for the
    /// statement's result.
    /// - Parameters:
    ///   - statement: The statement.
    ///   - hasOwnSync: Whether the statement gets its own batch, and thus its own transaction.
    /// - Throws: `PostgresError`; of kind `aborted` when an earlier statement of the batch failed.
    func read(_ statement: Statement, hasOwnSync: Bool) async throws -> Result {
        var retries = Connection.retries
        while true {
            // Not `retryingIfStale`: calling a closure would cost another hop to the event loop.
            do {
                return try await withUnsafeThrowingContinuation {
                    submit(CollectionOfOne(statement), .one($0), hasOwnSync: hasOwnSync)
                }
            } catch let error as PostgresError where error.isStale {
                try resetForRetry(error, isShared: true, &retries)
            }
        }
    }

    /// Runs `body`, and runs it again if a prepared statement was stale.
    private func retryingIfStale<Value>(_ body: () async throws -> Value) async throws -> Value {
        var retries = Connection.retries
        while true {
            do { return try await body() } catch let error as PostgresError where error.isStale {
                try resetForRetry(error, isShared: false, &retries)
            }
        }
    }

    /// The maximum number of retries of a statement whose prepared statement was stale. More than one retry may be
    /// needed because the table may be altered again in the meantime.
    private static let retries = 2

    /// Forgets all prepared statements, so that a statement whose prepared statement was stale is prepared again when
    /// the caller retries the statement.
    /// - Parameters:
    ///   - error: The error that the stale prepared statement caused.
    ///   - isShared: Whether the connection serves reads only, so that no transaction can be open. libpq's transaction
    ///     status does not distinguish an open transaction from other statements in flight.
    ///   - retries: The number of retries left.
    /// - Throws: `PostgresError` when the statement cannot be executed again.
    private func resetForRetry(_ error: PostgresError, isShared: Bool, _ retries: inout Int) throws {
        prepared.forgetAll()
        guard isOpen else { throw Connection.notSent }
        guard retries > 0, isShared || !session.isInTransaction else { throw error }
        retries -= 1
    }

    /// Asks the server for the types of a statement's parameters and columns, without executing the statement.
    /// - Throws: `PostgresError`.
    public func describe(_ statement: Statement) async throws -> Result {
        try await withUnsafeThrowingContinuation { continuation in
            let pending = InFlight(.one(continuation), sent: loop.now)
            guard isOpen, let name = name(of: statement, pending), session.describe(name) else {
                return reject(pending)
            }
            pending.sentCommand()
            enqueue(pending)
            sync()
        }
    }

    /// Passes statements to libpq, followed by a sync now or at the end of the event loop iteration.
    private func submit(_ statements: some Sequence<Statement>, _ continuation: InFlight.Continuation, hasOwnSync: Bool)
    {
        loop.assertCurrent()
        if hasOwnSync, isUnsynced { sync() }
        let pending = InFlight(continuation, sent: loop.now)
        for statement in statements {
            guard isOpen, send(statement, pending) else { return reject(pending) }
        }
        enqueue(pending)
        if hasOwnSync { sync() } else { syncAtEndOfIteration() }
    }

    /// Fails statements that libpq did not accept, and closes the connection. If the connection was intact, the
    /// statements are at fault: one has too many parameters.
    private func reject(_ pending: InFlight) {
        let kind: PostgresError.Kind = session.isBroken ? .lost : .server
        pending.fail(isOpen ? PostgresError(kind, message: session.message) : Connection.notSent)
        close()
    }

    private func send(_ statement: Statement, _ pending: InFlight) -> Bool {
        if configuration.prepares {
            guard let name = name(of: statement, pending), session.execute(name, statement.bindings)
            else { return false }
        } else {
            guard session.execute(text: statement.text, statement.bindings) else { return false }
        }
        pending.sentCommand()
        return true
    }

    /// Returns the name of the statement's prepared statement. If there is none yet, the statement is prepared in the
    /// same pipeline. Returns `nil` if libpq does not accept a command.
    private func name(of statement: Statement, _ pending: InFlight) -> [CChar]? {
        if let name = prepared.name(of: statement) { return name }
        let key = PreparedKey(statement)
        let name = prepared.add(key)
        // In a failed transaction, a DEALLOCATE would fail, and with it the ROLLBACK of the same batch.
        while !session.hasFailedTransaction, let evicted = prepared.evict() {
            let deallocation = Statement(unsafe: "DEALLOCATE \(evicted)")
            guard session.execute(text: deallocation.text, deallocation.bindings) else { return nil }
            pending.sentCommand(isInternal: true)
        }
        guard session.prepare(name, key) else { return nil }
        pending.prepares.append((key, pending.commands))
        pending.sentCommand(isInternal: true)
        return name
    }

    private func enqueue(_ pending: InFlight) {
        inFlight.append(pending)
        if timer == nil { watchDeadline() }
    }

    private func syncAtEndOfIteration() {
        guard !isUnsynced else { return }
        isUnsynced = true
        loop.atEndOfTurn { [weak self] in if let self, isUnsynced { sync() } }
    }

    /// Ends the batch with a sync message, and sends the batch.
    private func sync() {
        isUnsynced = false
        guard isOpen, !inFlight.isEmpty else { return }
        inFlight[inFlight.count - 1].endsBatch = true
        guard session.sync() else { return fail(PostgresError(.lost, message: session.message)) }
        flush()
    }

    /// Flushes libpq's output buffer, immediately if the socket is writable, otherwise once it is.
    private func flush() {
        let isBlocked = session.flush()
        guard isBlocked != isWaitingForWritability else { return }
        isWaitingForWritability = isBlocked
        watch?.change(to: isBlocked ? Connection.interest.union(.writable) : Connection.interest)
    }

    /// Executes a script of any number of statements without parameters, such as a migration, without a time limit.
    ///
    /// Postgres executes the statements as one transaction, unless they contain transaction commands (Postgres manual,
    /// section 55.2.2.1). No other statement may be in flight on the connection.
    /// - Returns: The result of the last statement.
    /// - Throws: `PostgresError` with the position of the error in the script.
    @discardableResult
    public func script(_ text: String) async throws -> Result {
        precondition(depth == 0, "a script needs exclusive use of the connection")
        defer { if isOpen { session.endScript() } }
        return try await withUnsafeThrowingContinuation { continuation in
            let pending = InFlight(.one(continuation), sent: loop.now, isScript: true)
            guard isOpen, session.script(text) else { return pending.fail(Connection.notSent) }
            pending.sentCommand()
            enqueue(pending)
            flush()
        }
    }

    /// Cancels the running statement of this connection, which then fails with SQLSTATE 57014.
    ///
    /// Use this method only on a connection that one task uses exclusively; on a shared connection, the request could
    /// cancel another task's statement. The signal by which the server cancels the statement may reach the session's
    /// process late and cancel a later statement; after this method has returned, complete a round trip before using
    /// the connection again.
    /// - Parameter limit: The timeout for the cancel request; 2 s by default.
    /// - Returns: Whether the request completed in time; close the connection if it did not.
    @discardableResult
    public func cancel(within limit: Duration = .seconds(2)) async -> Bool {
        guard isOpen, let request = session.cancelRequest() else { return true }
        let finished = Waiter<Bool>(on: loop)
        let timer = loop.schedule(at: loop.now.advanced(by: limit)) { finished.resume(returning: false) }
        defer { timer.cancel() }
        Task(executorPreference: loop) {
            try? await self.loop.offload { request.send() }
            finished.resume(returning: true)
        }
        return (try? await finished.value()) ?? false
    }

    // MARK: Receiving

    private func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        guard session.receive() else { return fail(PostgresError(.lost, message: session.message)) }
        processResults()
        let isGone = !readiness.isDisjoint(with: [.peerClosed, .hangUp, .error])
        if isGone, isOpen, inFlight.isEmpty || session.isBroken { fail(Connection.lost) }
    }

    /// Processes all results that have arrived.
    private func processResults() {
        while isOpen, !inFlight.isEmpty, session.hasResult {
            if isCopyingOut {
                guard session.drainCopy() else { return }
                isCopyingOut = false
            } else if let result = session.nextResult() {
                process(result)
            } else if session.isBroken {
                break
            } else {
                commandEnded()
            }
        }
    }

    /// Processes one result.
    private func process(_ result: Result) {
        let status = result.status
        guard status != .pipelineEnd else { return batchEnded() }
        guard !isBatchCompleted else { return commitFailed(result) }
        guard completed < inFlight.count else { return }
        switch status {
        case .done: inFlight[completed].receive(result)
        case .failed: inFlight[completed].fail(with: result.error)
        case .pipelineAborted: inFlight[completed].fail(with: Connection.aborted)
        case .copyIn:
            session.refuseCopy()
            flush()
        case .copyOut: isCopyingOut = true
        case .pipelineEnd: break
        }
    }

    /// Whether all requests of the first batch have their results, while the result of the batch's sync is
    /// outstanding.
    private var isBatchCompleted: Bool { completed > 0 && inFlight[completed - 1].endsBatch }

    /// Handles an error that arrives between the results of a batch's last statement and of its sync. Such an error
    /// means that the commit failed (a deferred constraint), so that none of the batch's statements took effect. If the
    /// server terminated the session, however, the commit may have succeeded.
    private func commitFailed(_ result: Result) {
        guard result.status == .failed else { return }
        let error = result.error
        for index in 0..<completed {
            inFlight[index].fail(with: error.kind == .terminated ? Connection.lost : error)
        }
    }

    /// Handles the NULL that libpq returns instead of a result when a command has no more results.
    private func commandEnded() {
        guard completed < inFlight.count, inFlight[completed].commandEnded() else { return }
        completed += 1
        if inFlight[0].isScript { batchEnded() }
    }

    /// Handles the result of a sync by resuming the tasks that wait for the batch.
    private func batchEnded() {
        let now = Instant.now
        progressed = now
        for _ in 0..<completed {
            guard let first = inFlight.popFirst() else { break }
            for key in first.failedPreparations { prepared.forget(key) }
            first.finish(at: now)
        }
        completed = 0
    }

    // MARK: Deadlines

    /// Schedules a timer for the deadline of the first request in flight. One timer suffices because the request that
    /// was sent first has the earliest deadline.
    private func watchDeadline() {
        guard let deadline else { return timer = nil }
        timer = loop.schedule(at: deadline) { [unowned self] in
            // A busy event loop may not have processed yet what has arrived.
            if session.receive() { processResults() }
            guard isOpen, let deadline = self.deadline, deadline <= loop.now else { return watchDeadline() }
            fail(PostgresError(.deadline, message: "no response was received before the deadline"))
        }
    }

    /// The deadline of the first request in flight; `nil` for a script. The time limit counts from when the request was
    /// sent or, if later, from the end of the preceding batch.
    private var deadline: Instant? {
        guard let first = inFlight.first, !first.isScript else { return nil }
        return max(first.sent, progressed).advanced(by: configuration.deadline)
    }

    // MARK: Ending

    /// Fails all statements in flight and closes the connection.
    private func fail(_ error: PostgresError) {
        guard let watch else { return }
        watch.cancel()
        self.watch = nil
        timer?.cancel()
        let remaining = inFlight
        (inFlight, completed) = ([], 0)
        session.close()
        for (index, statement) in remaining.enumerated() {
            statement.fail(index == 0 || error.kind != .deadline ? error : Connection.lost)
        }
        onClose()
    }

    /// Closes the connection; statements in flight fail with an error of kind `lost`.
    public func close() { fail(Connection.lost) }

    /// The error of statements that were in flight when their connection was closed.
    static let lost = PostgresError(.lost, message: "the connection was lost")
    /// The error of statements that were not sent because the connection was already closed.
    static let notSent = PostgresError(.notSent, message: "the connection was closed before the statement was sent")
    private static let aborted = PostgresError(.aborted, message: "another statement of the batch failed")
}
