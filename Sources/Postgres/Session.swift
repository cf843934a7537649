import CLibPQ
import EventLoop
import Glibc
import SQL

/// A nonblocking libpq connection in pipeline mode. The object is the only owner of the connection's C memory.
///
/// `@unchecked Sendable` is sound because a session has one owner at a time: the helper thread that opened it has
/// finished with it when an event loop receives it.
final class Session: @unchecked Sendable {
    // Owned by this object: finished in `close`, never handed out.
    private let handle: OpaquePointer

    init(owning handle: OpaquePointer) {
        self.handle = handle
        PQsetnonblocking(handle, 1)
        // The default notice receiver prints to stderr. Sound: the connection is closed before this object is
        // deallocated.
        PQsetNoticeReceiver(
            handle, { Unmanaged<Session>.fromOpaque($0!).takeUnretainedValue().notice($1) },
            Unmanaged.passUnretained(self).toOpaque())
        PQenterPipelineMode(handle)
    }

    deinit { close() }

    /// Called with the text of each notice that the server sends: `NOTICE: table "one" does not exist, skipping`.
    var onNotice: ((String) -> Void)?

    private func notice(_ result: OpaquePointer?) {
        guard let onNotice else { return }
        let parts = ["V", "M"].map { (letter: Unicode.Scalar) in
            PQresultErrorField(result, Int32(letter.value)).map { String(cString: $0) } ?? ""
        }
        onNotice(parts.joined(separator: ": "))
    }

    private var isClosed = false

    /// Closes the connection, which must not be used afterwards.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        PQfinish(handle)
    }

    // MARK: Status

    /// The file descriptor of the connection's socket.
    var socket: Int32 { PQsocket(handle) }
    /// Whether the connection has failed.
    var isBroken: Bool { PQstatus(handle) == CONNECTION_BAD }
    /// Whether a transaction is open, or a statement is in flight: until the result arrives, libpq does not distinguish
    /// the two.
    var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }
    /// Whether a transaction is open in which a statement has failed; `false` while a statement is in flight.
    var hasFailedTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INERROR }
    /// libpq's last error message for the connection.
    var message: String { String(cString: PQerrorMessage(handle)) }

    /// Whether the kernel still considers the connection open. The check needs no round trip, so a peer that vanished
    /// silently is not detected.
    var isConnected: Bool {
        var socket = pollfd(fd: socket, events: Int16(POLLIN | Int32(Readiness.peerClosed.rawValue)), revents: 0)
        return poll(&socket, 1, 0) <= 0 || Int32(socket.revents) & ~POLLIN == 0
    }

    // MARK: Sending

    /// Sends the command to prepare a statement under a name.
    /// - Returns: Whether libpq accepted the command.
    func prepare(_ name: [CChar], _ key: PreparedKey) -> Bool {
        PQsendPrepare(handle, name, key.text, Int32(key.types.count), key.types) == 1
    }

    /// Sends the command to execute the prepared statement with the given name.
    /// - Returns: Whether libpq accepted the command.
    func execute(_ name: [CChar], _ bindings: Bindings) -> Bool {
        withParameters(bindings) { count, values, lengths, formats in
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1) == 1
        }
    }

    /// Sends the command to execute a statement that is not prepared.
    /// - Returns: Whether libpq accepted the command.
    func execute(text: String, _ bindings: Bindings) -> Bool {
        let types = bindings.parameters.map(\.type)
        return withParameters(bindings) { count, values, lengths, formats in
            PQsendQueryParams(handle, text, count, types, values, lengths, formats, 1) == 1
        }
    }

    /// Sends a request for the types of a prepared statement's parameters and columns.
    /// - Returns: Whether libpq accepted the command.
    func describe(_ name: [CChar]) -> Bool { PQsendDescribePrepared(handle, name) == 1 }

    /// Leaves pipeline mode and sends a script of any number of statements.
    /// - Returns: Whether libpq accepted the command.
    func script(_ text: String) -> Bool { PQexitPipelineMode(handle) == 1 && PQsendQuery(handle, text) == 1 }

    /// Enters pipeline mode again after a script.
    func endScript() { PQenterPipelineMode(handle) }

    /// Sends a sync message, which ends a batch.
    /// - Returns: Whether libpq accepted the command.
    func sync() -> Bool { PQpipelineSync(handle) == 1 }

    /// Flushes libpq's output buffer.
    /// - Returns: Whether data remains because the socket is not writable.
    func flush() -> Bool { PQflush(handle) == 1 }

    private func withParameters(
        _ bindings: Bindings,
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Bool
    ) -> Bool {
        let count = bindings.parameters.count
        return bindings.buffer.withUnsafeBytes { buffer in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * count) { numbers in
                    for (index, parameter) in bindings.parameters.enumerated() {
                        values[index] = parameter.count.map { _ in Session.pointer(buffer, parameter.offset) }
                        numbers[index] = Int32(parameter.count ?? 0)
                        numbers[count + index] = 1
                    }
                    let lengths = numbers.baseAddress.map { UnsafePointer($0) }
                    return body(
                        Int32(count), values.baseAddress.map { UnsafePointer($0) }, lengths, lengths.map { $0 + count })
                }
            }
        }
    }

    /// Returns the address of a parameter's bytes. The address of an empty value is arbitrary but not a null pointer,
    /// which libpq would interpret as NULL in SQL.
    private static func pointer(_ buffer: UnsafeRawBufferPointer, _ offset: Int) -> UnsafePointer<CChar> {
        guard let base = buffer.baseAddress else { return emptyValue }
        return (base + offset).assumingMemoryBound(to: CChar.self)
    }

    // Sound: one byte that is never written to and lives as long as the process.
    private nonisolated(unsafe) static let emptyValue: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()

    // MARK: Receiving

    /// Reads the data that has arrived.
    /// - Returns: Whether the connection is intact.
    func receive() -> Bool { PQconsumeInput(handle) == 1 }

    /// Whether a result, or the end of a command, is available without waiting.
    var hasResult: Bool { PQisBusy(handle) == 0 }

    /// Returns the next result; `nil` if the command has no more results.
    func nextResult() -> Result? { PQgetResult(handle).map { Result(owning: $0, at: .distantFuture) } }

    // MARK: COPY

    /// Rejects a COPY from the client, because there is no data to send; the statement fails.
    func refuseCopy() {
        _ = PQputCopyEnd(handle, "COPY FROM STDIN has no data here: use INSERT, or COPY FROM a file on the server")
    }

    /// Discards the data that a COPY to the client has sent so far.
    /// - Returns: Whether the COPY has ended.
    func drainCopy() -> Bool {
        var row: UnsafeMutablePointer<CChar>?
        while true {
            let count = PQgetCopyData(handle, &row, 1)
            PQfreemem(row)
            row = nil
            if count <= 0 { return count < 0 }
        }
    }

    // MARK: Helper threads

    /// Sets the environment variable `PGTZ`, so that the time zone of all sessions is UTC. libpq sends the time zone in
    /// the startup message (Postgres manual, section 34.15); PgBouncer accepts it there, but does not accept
    /// `options`. The variable is set once, before the first connection is opened, because setenv(3) must not run
    /// while another thread reads the environment.
    private static let timeZone = setenv("PGTZ", "UTC", 1)

    /// Opens a connection. The call blocks for name resolution, TLS and password hashing, and is therefore made on a
    /// helper thread.
    /// - Throws: `PostgresError` of kind `unreachable` with libpq's message, in which passwords are redacted.
    static func open(_ parameters: [(keyword: String, value: String)]) throws(PostgresError) -> Session {
        _ = timeZone
        let keywords = parameters.map { strdup($0.keyword) }
        let values = parameters.map { strdup($0.value) }
        defer { (keywords + values).forEach { free($0) } }
        let handle = PQconnectdbParams(
            keywords.map { $0.map { UnsafePointer($0) } } + [nil], values.map { $0.map { UnsafePointer($0) } } + [nil],
            1)
        guard let handle else { throw PostgresError(.unreachable, message: "out of memory") }
        guard PQstatus(handle) == CONNECTION_OK else {
            defer { PQfinish(handle) }
            let message = String(cString: PQerrorMessage(handle)).trimmedEnd.redacted(parameters)
            throw PostgresError(.unreachable, message: message)
        }
        return Session(owning: handle)
    }

    /// Returns a request to cancel the session's running statement; `nil` if libpq cannot create one.
    func cancelRequest() -> CancelRequest? { PQgetCancel(handle).map(CancelRequest.init(owning:)) }
}

extension String {
    fileprivate var trimmedEnd: String {
        String(unicodeScalars.reversed().drop { $0.properties.isWhitespace }.reversed().map(Character.init))
    }
}
