import DequeModule
import EventLoop
import SQL

/// One connection to Postgres, which carries the statements of many tasks at once in libpq's pipeline mode (Postgres manual,
/// chapter 34.5).
///
/// A statement that is executed ends with a sync of its own. Those that are read in one turn of the loop share a sync, and so
/// one packet each way and one transaction: when one of them fails, those behind it are aborted with it, and are read again.
/// Results come in the order of the statements.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
public final class Connection: @unchecked Sendable {
    private let session: Session
    let loop: Loop
    private let configuration: PostgresConfiguration
    private var watch: Watch?
    private var timer: Timer?
    /// When the last statements were answered.
    private var progressed = Instant.now
    private var inFlight = Deque<InFlight>()
    /// How many, the first ones, have their results and wait for their sync.
    private var answered = 0
    /// Whether statements were given to libpq after the last sync.
    private var isUnsynced = false
    private var isWaitingForRoom = false
    /// Whether a COPY to the client is under way, whose data nobody wants.
    private var isCopyingOut = false
    private var prepared = PreparedStatements()

    /// Takes what the server says besides its answers: `WARNING: there is no transaction in progress`.
    public var onNotice: ((String) -> Void)? {
        get { session.onNotice }
        set { session.onNotice = newValue }
    }

    /// Called once, when the connection is closed or lost.
    var onClose: () -> Void = {}

    /// Opens a connection for the loop that the caller runs on.
    /// - Throws: `PostgresError` of kind `unreachable`, with libpq's own words.
    public static func open(_ configuration: PostgresConfiguration) async throws -> Connection {
        guard let loop = Loop.current else { preconditionFailure("a connection belongs to a loop: open it on one") }
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

    /// Whether statements may be sent.
    public var isOpen: Bool { watch != nil }

    /// How many statements wait for their results.
    public var depth: Int { inFlight.count }

    /// Whether the server's end is still there, asked of the kernel: no round trip. One that is gone is closed.
    var isAlive: Bool {
        guard isOpen else { return false }
        guard !session.isConnected else { return true }
        close()
        return false
    }

    /// Whether a transaction is open on it.
    public var isInTransaction: Bool { isOpen && session.isInTransaction }

    /// Whether it is open, and nothing is under way on it.
    var isAtRest: Bool { isOpen && inFlight.isEmpty && !session.isInTransaction }

    // MARK: Sending

    /// Sends a statement, behind those that are under way, and waits for what it returns and for the end of its transaction.
    ///
    /// One whose preparation has gone stale, because the table was changed or the session was reset, is prepared again, and run
    /// again, once, unless a transaction is open.
    /// - Throws: `PostgresError`.
    public func execute(_ statement: Statement) async throws -> Result {
        try await againIfStale {
            try await withUnsafeThrowingContinuation { submit(CollectionOfOne(statement), .one($0), isAlone: true) }
        }
    }

    /// Sends statements in one packet, and waits for what all of them return. Unless a transaction is open, they are one. Stale
    /// preparations are treated as for a single statement.
    /// - Throws: `PostgresError`: the first one's that fails; none of those behind it is carried out.
    public func execute(_ statements: [Statement]) async throws -> [Result] {
        guard !statements.isEmpty else { return [] }
        return try await againIfStale {
            try await withUnsafeThrowingContinuation { submit(statements, .all($0), isAlone: true) }
        }
    }

    /// Sends statements, and another one right behind them, whose transaction begins when theirs has ended.
    /// - Returns: what the other one returned, `nil` when it failed; and how the statements ended.
    func execute(
        _ statements: [Statement], then other: Statement
    ) async -> (other: Result?, outcome: Swift.Result<[Result], any Error>) {
        var last = Waiter<Result>(on: loop)
        do {
            let results = try await againIfStale {
                last = Waiter<Result>(on: loop)
                do {
                    return try await withUnsafeThrowingContinuation { continuation in
                        submit(statements, .all(continuation), isAlone: true)
                        submit(CollectionOfOne(other), .later(last), isAlone: true)
                    }
                } catch {
                    // Only a connection with nothing under way tells whether a transaction is open.
                    _ = try? await last.outcome()
                    throw error
                }
            }
            return (try? await last.outcome(), .success(results))
        } catch { return (try? await last.outcome(), .failure(error)) }
    }

    /// Sends a statement that changes nothing, together with those of this turn of the loop, and waits for what it returns.
    /// - Parameter isAlone: whether it shares its sync, and so its transaction, with no other.
    /// - Throws: `PostgresError`; of kind `aborted` when another statement's failure was the cause.
    func read(_ statement: Statement, alone isAlone: Bool) async throws -> Result {
        var retries = Connection.retries
        while true {
            // Not `againIfStale`: a closure that is called is another hop to the loop.
            do {
                return try await withUnsafeThrowingContinuation {
                    submit(CollectionOfOne(statement), .one($0), isAlone: isAlone)
                }
            } catch let error as PostgresError where error.isStale {
                try forgetStale(error, isShared: true, &retries)
            }
        }
    }

    /// Runs `body` again when a preparation was stale.
    private func againIfStale<Value>(_ body: () async throws -> Value) async throws -> Value {
        var retries = Connection.retries
        while true {
            do { return try await body() } catch let error as PostgresError where error.isStale {
                try forgetStale(error, isShared: false, &retries)
            }
        }
    }

    /// How often a statement is run again whose preparation was stale: the table may be changed again meanwhile.
    private static let retries = 2

    /// Forgets what is prepared, so that a statement can be run again.
    /// - Parameter isShared: whether the connection serves reads only, so that no transaction can be open. libpq does not tell one
    ///   from other statements that are under way.
    /// - Throws: when it cannot.
    private func forgetStale(_ error: PostgresError, isShared: Bool, _ retries: inout Int) throws {
        prepared.forgetAll()
        guard isOpen else { throw Connection.notSent }
        guard retries > 0, isShared || !session.isInTransaction else { throw error }
        retries -= 1
    }

    /// Asks the server what a statement takes and returns, without running it.
    /// - Throws: `PostgresError`.
    public func describe(_ statement: Statement) async throws -> Result {
        try await withUnsafeThrowingContinuation { continuation in
            let pending = InFlight(.one(continuation), sent: loop.now, limit: configuration.deadline)
            guard isOpen, let name = name(of: statement, pending), session.describe(name) else {
                return refuse(pending)
            }
            pending.sentCommand()
            enqueue(pending)
            sync()
        }
    }

    /// Gives statements to libpq.
    private func submit(_ statements: some Sequence<Statement>, _ continuation: InFlight.Continuation, isAlone: Bool) {
        loop.assertCurrent()
        if isAlone, isUnsynced { sync() }
        let pending = InFlight(continuation, sent: loop.now, limit: configuration.deadline)
        for statement in statements {
            guard isOpen, send(statement, pending) else { return refuse(pending) }
        }
        enqueue(pending)
        if isAlone { sync() } else { syncAtEndOfTurn() }
    }

    private func refuse(_ pending: InFlight) {
        pending.fail(isOpen ? PostgresError(.lost, message: session.message) : Connection.notSent)
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

    /// The name of a prepared statement; one that is not prepared is, on the way to its first use, in the same pipeline.
    private func name(of statement: Statement, _ pending: InFlight) -> [CChar]? {
        if let name = prepared.name(of: statement) { return name }
        let key = PreparedKey(statement)
        let name = prepared.add(key)
        guard session.prepare(name, key) else { return nil }
        pending.prepares.append((key, pending.commands))
        pending.sentCommand(isOurs: true)
        if let evicted = prepared.evict() {
            let deallocation = Statement(unsafe: "DEALLOCATE \(evicted)")
            guard session.execute(text: deallocation.text, deallocation.bindings) else { return nil }
            pending.sentCommand(isOurs: true)
        }
        return name
    }

    private func enqueue(_ pending: InFlight) {
        inFlight.append(pending)
        if timer == nil { watchDeadline() }
    }

    private func syncAtEndOfTurn() {
        guard !isUnsynced else { return }
        isUnsynced = true
        loop.atEndOfTurn { [weak self] in if let self, isUnsynced { sync() } }
    }

    /// Ends a batch, and sends it.
    private func sync() {
        isUnsynced = false
        guard isOpen, !inFlight.isEmpty else { return }
        inFlight[inFlight.count - 1].endsBatch = true
        guard session.sync() else { return fail(PostgresError(.lost, message: session.message)) }
        flush()
    }

    /// Sends what libpq still holds, now or when the socket has room.
    private func flush() {
        let isBlocked = session.flush()
        guard isBlocked != isWaitingForRoom else { return }
        isWaitingForRoom = isBlocked
        watch?.change(to: isBlocked ? Connection.interest.union(.writable) : Connection.interest)
    }

    /// Runs a text of any number of statements, which have no parameters, with no limit of time: a migration's.
    ///
    /// Postgres runs them as one transaction, unless they say otherwise (Postgres manual, chapter 55.2.2.1). Nothing else may
    /// be under way on the connection.
    /// - Returns: what the last statement returned.
    /// - Throws: `PostgresError`, with the position of the failing statement's error in the text.
    @discardableResult
    public func script(_ text: String) async throws -> Result {
        precondition(depth == 0, "a script needs the connection for itself")
        defer { if isOpen { session.endScript() } }
        return try await withUnsafeThrowingContinuation { continuation in
            let pending = InFlight(.one(continuation), sent: loop.now, limit: .seconds(Int64.max), isScript: true)
            guard isOpen, session.script(text) else { return pending.fail(Connection.notSent) }
            pending.sentCommand()
            enqueue(pending)
            flush()
        }
    }

    /// Asks Postgres to give up what this connection is working on, which then fails with 57014.
    ///
    /// Only for a connection that one task has for itself: on a shared one it could hit somebody else's statement. It may
    /// hit a later statement, too, until a round trip after this one's return has succeeded.
    /// - Parameter limit: how long to wait for the request, which has no limit of its own; 2 s when it is left out.
    /// - Returns: whether the request came back in time; when it did not, close the connection.
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
        takeResults()
        let isGone = !readiness.isDisjoint(with: [.peerClosed, .hangUp, .error])
        if isGone, isOpen, inFlight.isEmpty || session.isBroken { fail(Connection.lost) }
    }

    private func takeResults() {
        while isOpen, !inFlight.isEmpty, session.hasResult {
            if isCopyingOut {
                guard session.drainCopy() else { return }
                isCopyingOut = false
            } else if let result = session.nextResult() {
                take(result)
            } else if session.isBroken {
                break
            } else {
                commandEnded()
            }
        }
    }

    private func take(_ result: Result) {
        let status = result.status
        guard status != .pipelineEnd else { return batchEnded() }
        guard !isAtEndOfBatch else { return failedToCommit(result) }
        guard answered < inFlight.count else { return }
        switch status {
        case .done: inFlight[answered].take(result)
        case .failed: inFlight[answered].fail(with: result.error)
        case .pipelineAborted: inFlight[answered].fail(with: Connection.aborted)
        case .copyIn:
            session.refuseCopy()
            flush()
        case .copyOut: isCopyingOut = true
        case .pipelineEnd: break
        }
    }

    /// Whether all statements of the first batch are answered, and its sync is not.
    private var isAtEndOfBatch: Bool { answered > 0 && inFlight[answered - 1].endsBatch }

    /// An error between the last statement of a batch and its sync: the transaction could not be committed (a constraint that is
    /// deferred), so that none of its statements was carried out. When the server has ended the session, it may have been
    /// committed.
    private func failedToCommit(_ result: Result) {
        guard result.status == .failed else { return }
        let error = result.error
        for index in 0..<answered {
            inFlight[index].fail(with: error.kind == .terminated ? Connection.lost : error)
        }
    }

    /// libpq's NULL: no more results of this command.
    private func commandEnded() {
        guard answered < inFlight.count, inFlight[answered].commandEnded() else { return }
        answered += 1
        if inFlight[0].isScript { batchEnded() }
    }

    private func batchEnded() {
        let now = Instant.now
        progressed = now
        for _ in 0..<answered {
            guard let first = inFlight.popFirst() else { break }
            for key in first.unprepared { prepared.forget(key) }
            first.finish(at: now)
        }
        answered = 0
    }

    // MARK: Deadlines

    /// One timer for all statements, since the first to be sent is the first to be due.
    private func watchDeadline() {
        guard let due else { return timer = nil }
        timer = loop.schedule(at: due) { [unowned self] in
            // A loop that had much to do may not have looked at what has arrived.
            if session.receive() { takeResults() }
            guard isOpen, let due = self.due, due <= loop.now else { return watchDeadline() }
            fail(PostgresError(.deadline, message: "no answer came in time"))
        }
    }

    /// When the statement at the head is due: its time begins when those before it have been answered.
    private var due: Instant? { inFlight.first.map { max($0.sent, progressed).advanced(by: $0.limit) } }

    // MARK: Ending

    /// Gives up: all statements under way fail, and the connection is closed.
    private func fail(_ error: PostgresError) {
        guard let watch else { return }
        watch.cancel()
        self.watch = nil
        timer?.cancel()
        let left = inFlight
        (inFlight, answered) = ([], 0)
        session.close()
        for (place, statement) in left.enumerated() {
            statement.fail(place == 0 || error.kind != .deadline ? error : Connection.lost)
        }
        onClose()
    }

    /// Closes; statements under way fail as lost.
    public func close() { fail(Connection.lost) }

    static let lost = PostgresError(.lost, message: "the connection was lost")
    static let notSent = PostgresError(.notSent, message: "the connection was closed before the statement was sent")
    private static let aborted = PostgresError(.aborted, message: "another statement of the batch failed")
}
