import CLibPQ
import DequeModule
import EventLoop
import Glibc
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
    // Owned here: finished in `close`, never handed out.
    let handle: OpaquePointer
    let loop: Loop
    private let deadline: Duration
    private var watch: Watch?
    private var timer: Timer?
    private var statements = Deque<InFlight>()
    /// How many statements, the first ones, have their results and wait for their sync.
    private var answered = 0
    /// Whether statements were given to libpq after the last sync.
    private var isUnsynced = false
    /// The names of what is prepared on this connection.
    private var prepared: [PreparedKey: [CChar]] = [:]
    private var preparations = 0

    /// Called after results have arrived, and when the connection is lost.
    var onProgress: () -> Void = {}

    /// Takes over a libpq connection that is open.
    init(owning handle: OpaquePointer, on loop: Loop, deadline: Duration) throws {
        self.handle = handle
        self.loop = loop
        self.deadline = deadline
        PQsetnonblocking(handle, 1)
        PQsetNoticeReceiver(handle, { _, _ in }, nil)  // The default prints to stderr, in its own form.
        PQenterPipelineMode(handle)
        watch = try loop.watch(PQsocket(handle), for: Connection.interest) { [unowned self] in ready($0) }
    }

    deinit { close() }

    private static let interest: Readiness = [.readable, .peerClosed]

    /// Whether statements may be sent.
    public var isOpen: Bool { watch != nil }

    /// How many statements wait for their results.
    public var depth: Int { statements.count }

    /// Whether the statement at the head has waited for longer than a quick one takes.
    var isLate: Bool { statements.first.map { loop.now.duration(since: $0.sent) > .milliseconds(50) } ?? false }

    /// Whether the server's end is still there, asked of the kernel: no round trip. One that is gone is closed.
    var isAlive: Bool {
        guard isOpen else { return false }
        var socket = pollfd(
            fd: PQsocket(handle), events: Int16(POLLIN | Int32(Readiness.peerClosed.rawValue)), revents: 0)
        guard poll(&socket, 1, 0) > 0, Int32(socket.revents) & ~POLLIN != 0 else { return true }
        close()
        return false
    }

    /// Whether it is outside a transaction, with nothing under way.
    var isAtRest: Bool { statements.isEmpty && PQtransactionStatus(handle) == PQTRANS_IDLE }

    // MARK: Sending

    /// Sends a statement, behind those that are under way, and waits for what it returns and for the end of its transaction.
    /// - Throws: `PostgresError`.
    public func execute(_ statement: Statement) async throws -> Result {
        if isUnsynced { sync() }
        return try await withUnsafeThrowingContinuation { continuation in
            if submit(statement, continuation) { sync() }
        }
    }

    /// Sends a statement that changes nothing, together with those of this turn of the loop, and waits for what it returns.
    /// - Throws: `PostgresError`; of kind `aborted` when another statement's failure was the cause.
    func read(_ statement: Statement) async throws -> Result {
        try await withUnsafeThrowingContinuation { continuation in
            guard submit(statement, continuation), !isUnsynced else { return }
            isUnsynced = true
            loop.atEndOfTurn { [weak self] in if let self, isUnsynced { sync() } }
        }
    }

    /// Gives a statement to libpq.
    /// - Returns: whether it did; when not, the task has its error.
    private func submit(_ statement: Statement, _ continuation: UnsafeContinuation<Result, any Error>) -> Bool {
        loop.assertCurrent()
        guard isOpen else {
            continuation.resume(throwing: Connection.lost)
            return false
        }
        let key = PreparedKey(text: statement.text, types: statement.bindings.parameters.map(\.type))
        let known = prepared[key]
        guard let name = known ?? prepare(key), send(statement.bindings, to: name) else {
            continuation.resume(throwing: libpqError(.lost))
            close()
            return false
        }
        enqueue(InFlight(continuation, sent: loop.now, limit: deadline, prepares: known == nil ? key : nil))
        return true
    }

    func enqueue(_ statement: InFlight) {
        statements.append(statement)
        if timer == nil { watchDeadline() }
    }

    /// Ends a batch, and sends it.
    private func sync() {
        isUnsynced = false
        guard isOpen else { return }
        guard PQpipelineSync(handle) == 1 else { return fail(libpqError(.lost)) }
        flush()
    }

    /// Prepares a statement on the way to its first use, in the same pipeline.
    private func prepare(_ key: PreparedKey) -> [CChar]? {
        let name = Array("s\(preparations)".utf8CString)
        preparations += 1
        guard PQsendPrepare(handle, name, key.text, Int32(key.types.count), key.types) == 1 else { return nil }
        prepared[key] = name
        return name
    }

    private func send(_ bindings: Bindings, to name: [CChar]) -> Bool {
        let count = bindings.parameters.count
        return bindings.buffer.withUnsafeBytes { buffer in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * count) { numbers in
                    for (index, parameter) in bindings.parameters.enumerated() {
                        values[index] = parameter.count.map { _ in Connection.pointer(buffer, parameter.offset) }
                        numbers[index] = Int32(parameter.count ?? 0)
                        numbers[count + index] = 1
                    }
                    return PQsendQueryPrepared(
                        handle, name, Int32(count), values.baseAddress, numbers.baseAddress,
                        numbers.baseAddress.map { $0 + count }, 1) == 1
                }
            }
        }
    }

    /// Where a parameter's bytes are; an empty one is anywhere but at NULL, which would mean SQL's NULL.
    private static func pointer(_ buffer: UnsafeRawBufferPointer, _ offset: Int) -> UnsafePointer<CChar> {
        guard let base = buffer.baseAddress else { return emptyValue }
        return (base + offset).assumingMemoryBound(to: CChar.self)
    }

    // Sound: one byte that nobody writes to, for the life of the process.
    private nonisolated(unsafe) static let emptyValue: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()

    /// Sends what libpq still holds, now or when the socket has room.
    func flush() {
        let isBlocked = PQflush(handle) == 1
        guard isBlocked != isWaitingForRoom else { return }
        isWaitingForRoom = isBlocked
        watch?.change(to: isBlocked ? Connection.interest.union(.writable) : Connection.interest)
    }

    private var isWaitingForRoom = false

    // MARK: Receiving

    private func ready(_ readiness: Readiness) {
        if readiness.contains(.writable) { flush() }
        guard PQconsumeInput(handle) == 1 else { return fail(libpqError(.lost)) }
        takeResults()
        let isGone = !readiness.isDisjoint(with: [.peerClosed, .hangUp, .error])
        if isGone, isOpen, statements.isEmpty || PQstatus(handle) == CONNECTION_BAD { return fail(Connection.lost) }
        onProgress()
    }

    private func takeResults() {
        while isOpen, !statements.isEmpty, PQisBusy(handle) == 0 {
            if let raw = PQgetResult(handle) {
                take(Result(owning: raw))
            } else if PQstatus(handle) == CONNECTION_BAD {
                break
            } else {
                commandEnded()
            }
        }
    }

    private func take(_ result: Result) {
        if result.status == .pipelineEnd { return batchEnded() }
        guard answered < statements.count else { return }
        switch result.status {
        case .done: statements[answered].result = result
        case .failed: statements[answered].error = statements[answered].error ?? result.error
        case .pipelineAborted: statements[answered].error = statements[answered].error ?? Connection.aborted
        case .pipelineEnd: break
        }
    }

    /// libpq's NULL: no more results of this command.
    private func commandEnded() {
        guard answered < statements.count else { return }
        statements[answered].commands -= 1
        guard statements[answered].commands == 0 else { return }
        answered += 1
        if statements[0].isScript { batchEnded() }
    }

    private func batchEnded() {
        let batch = statements.prefix(answered)
        statements.removeFirst(answered)
        answered = 0
        for statement in batch {
            if let key = statement.prepares, statement.result == nil { prepared[key] = nil }
            statement.finish()
        }
    }

    // MARK: Deadlines

    /// One timer for all statements, since the first to be sent is the first to be due.
    private func watchDeadline() {
        guard let first = statements.first else { return timer = nil }
        timer = loop.schedule(at: first.deadline) { [unowned self] in
            guard let first = statements.first, first.deadline <= loop.now else { return watchDeadline() }
            fail(PostgresError(.deadline, message: "no answer came in time"))
        }
    }

    // MARK: Ending

    /// Gives up: all statements under way fail, and the connection is closed.
    private func fail(_ error: PostgresError) {
        let failed = statements
        statements = []
        close()
        for (place, statement) in failed.enumerated() {
            statement.fail(place == 0 || error.kind != .deadline ? error : Connection.lost)
        }
        onProgress()
    }

    /// Closes; statements under way fail as lost.
    public func close() {
        guard let watch else { return }
        watch.cancel()
        self.watch = nil
        timer?.cancel()
        for statement in statements { statement.fail(Connection.lost) }
        statements = []
        PQfinish(handle)
    }

    static let lost = PostgresError(.lost, message: "the connection was lost")
    private static let aborted = PostgresError(.aborted, message: "another statement of the batch failed")

    private func libpqError(_ kind: PostgresError.Kind) -> PostgresError {
        PostgresError(kind, message: String(cString: PQerrorMessage(handle)))
    }
}
