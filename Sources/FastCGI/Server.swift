import CLinux
import EventLoop
import Glibc
import Logging
import Scoreboard
import Web

/// A FastCGI responder on an event loop: accepts connections and lets an application handle their requests.
///
/// The conformance to `@unchecked Sendable` is sound: a server is used on its loop's thread only; when created
/// elsewhere, it is handed over before use.
public final class Server: @unchecked Sendable {
    let loop: Loop
    let application: Application
    let limits: Limits
    let metrics: WorkerMetrics
    /// The logger for requests; `nil` when they are not logged.
    let requestLog: Logger?
    /// The buffer into which requests are received and from which libfcgi reads them. All connections share it, one at
    /// a time.
    private var buffer: RequestBuffer?
    /// The counter of response bytes that wait for their peers to read them.
    private var outputBacklog = OutputBacklog()

    private var listener: ListeningSocket?
    private var listenerWatch: Watch?
    private var connections: [Int32: Connection] = [:]
    private let drained: Waiter<Void>
    private var isDraining = false
    private var log: RateLimitedLog

    /// Creates a server without connections.
    /// - Parameters:
    ///   - application: The application that handles requests; it must belong to the same loop.
    ///   - loop: The loop to run on; the caller must be on its thread.
    ///   - limits: The limits on requests, responses and waiting times.
    ///   - metrics: The metrics to update. By default, other processes cannot read them.
    ///   - log: The logger for warnings and requests.
    ///   - logsRequests: Whether each request is logged when it ends.
    public init(
        application: Application, loop: Loop, limits: Limits = Limits(), metrics: WorkerMetrics = WorkerMetrics(),
        log: Logger, logsRequests: Bool = false
    ) {
        self.application = application
        self.loop = loop
        self.limits = limits
        self.metrics = metrics
        requestLog = logsRequests ? log : nil
        self.log = RateLimitedLog(log)
        drained = Waiter(on: loop)
        scheduleSweep()
    }

    // MARK: Accepting

    /// Starts to accept connections from `listener`, which other loops and processes may share.
    /// - Throws: `SystemError` when the socket cannot be watched.
    public func listen(on listener: ListeningSocket) throws(SystemError) {
        self.listener = listener
        listenerWatch = try loop.watch(listener.descriptor, for: [.readable, .exclusive]) { [unowned self] _ in accept()
        }
    }

    /// Accepts a single connection per loop iteration, so that other loops get their share.
    private func accept() {
        guard let listener else { return }
        _ = accept(from: listener)
    }

    /// Accepts a pending connection.
    /// - Returns: Whether the accept queue may have more connections.
    private func accept(from listener: ListeningSocket) -> Bool {
        let socket = accept4(listener.descriptor, nil, nil, Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue))
        guard socket >= 0 else {
            let code = errno
            handleAcceptFailure(code)
            return code == EINTR || code == ECONNABORTED
        }
        do throws(SystemError) { try adopt(socket) } catch { handleAcceptFailure(error.code) }
        return true
    }

    /// Handles a failure to accept a connection: ignores an empty accept queue and connections that their peers have
    /// aborted, and pauses accepting for 100 ms after other errors, such as a lack of descriptors or memory.
    private func handleAcceptFailure(_ code: Int32) {
        guard ![EAGAIN, EINTR, ECONNABORTED].contains(code), listener != nil else { return }
        log.warning("cannot accept a connection: \(SystemError("accept", code: code))")
        listenerWatch?.cancel()
        scheduleRelisten()
    }

    private func scheduleRelisten() {
        loop.schedule(at: loop.now.advanced(by: .milliseconds(100))) { [weak self] in self?.relisten() }
    }

    /// Watches the listening socket again; retries until that succeeds.
    private func relisten() {
        guard !isDraining, let listener else { return }
        do throws(SystemError) { try listen(on: listener) } catch {
            log.warning("cannot watch the listening socket: \(error)")
            scheduleRelisten()
        }
    }

    /// Serves a connection and takes ownership of its socket.
    /// - Throws: `SystemError`, after closing the socket, when the connection cannot be watched.
    func adopt(_ socket: Int32) throws(SystemError) {
        prepare(socket)
        do throws(SystemError) {
            connections[socket] = try Connection(socket: socket, server: self)
            metrics.accepted()
        } catch {
            close(socket)
            throw error
        }
    }

    /// Sets the size of the socket's send buffer, and disables Nagle's algorithm on TCP. With this size, a socket that
    /// the kernel reports writable has room for the bytes that a connection writes at once.
    private func prepare(_ socket: Int32) {
        var bytes: Int32 = 256 << 10
        var on: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout.size(ofValue: bytes)))
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout.size(ofValue: on)))
    }

    // MARK: Services for connections

    /// Returns the request buffer; creates it when there is none.
    func readyRequestBuffer() throws(SystemError) -> RequestBuffer {
        if let buffer { return buffer }
        let new = try RequestBuffer()
        buffer = new
        return new
    }

    /// Discards the request buffer after libfcgi has closed its descriptor. A new one is created on next use.
    func discardRequestBuffer() {
        buffer?.descriptorWasClosed()
        buffer = nil
    }

    /// Logs a warning, at most one a second.
    func warn(_ message: @autoclosure () -> String) { log.warning(message()) }

    /// Adds the bytes of a response to the output backlog, unless the backlog would then exceed its limit. While the
    /// backlog is empty, a response of any size is accepted. The caller must release the bytes afterwards.
    /// - Returns: Whether the bytes were added.
    func reserveOutput(_ bytes: Int) -> Bool {
        let hasRoom = outputBacklog.reserve(bytes, limit: limits.outputBacklogBytes)
        if !hasRoom {
            log.warning(
                "rejected a response: clients have not read \(outputBacklog.count) bytes of other responses yet")
        }
        return hasRoom
    }

    func releaseOutput(_ bytes: Int) { outputBacklog.release(bytes) }

    func remove(_ connection: Connection) {
        connections[connection.socket] = nil
        if isDraining, connections.isEmpty { drained.resume(returning: ()) }
    }

    func report(_ violation: RequestGuard.Violation) {
        log.warning("closed a connection that violated the FastCGI protocol: \(violation)")
    }

    // MARK: Timeouts

    private static let sweepInterval = Duration.seconds(1)

    /// Enforces all timeouts once a second, instead of with a timer for each request: closes connections whose peers
    /// are too slow and times out requests. Also returns freed memory to the system.
    private func sweep() {
        let peerDeadline = loop.now.advanced(by: .zero - limits.peerTimeout)
        let requestDeadline = loop.now.advanced(by: .zero - limits.requestTimeout)
        for connection in Array(connections.values) {
            connection.closeIfPeerTimedOut(waitingSince: peerDeadline)
            connection.timeOutRequest(ifHandledSince: requestDeadline)
        }
        if outputBacklog.consumePeak() { trim() }
        scheduleSweep()
    }

    /// Returns freed memory, which glibc's malloc would retain, to the system. Trimming runs on another thread, since
    /// it takes tens of milliseconds for a gigabyte.
    private func trim() {
        Task(executorPreference: loop) { [loop] in try? await loop.offload { _ = malloc_trim(0) } }
    }

    private func scheduleSweep() {
        loop.schedule(at: loop.now.advanced(by: Server.sweepInterval)) { [weak self] in self?.sweep() }
    }

    // MARK: Draining

    /// Accepts the pending connections, stops listening, and returns when all peers have closed their connections or
    /// the drain timeout has passed.
    ///
    /// Requests on kept-alive connections are still served: FastCGI has no equivalent of "Connection: close", so a peer
    /// may be sending its next request on a connection that the server would close.
    public func drain() async {
        isDraining = true
        // Accept the connections in the accept queue: they would be reset when the socket closes.
        while let listener, accept(from: listener) {}
        listenerWatch?.cancel()
        listener = nil
        guard !connections.isEmpty else { return }
        let deadline = loop.now.advanced(by: limits.drainTimeout)
        let timer = loop.schedule(at: deadline) { [drained] in drained.resume(returning: ()) }
        defer { timer.cancel() }
        try? await drained.value()
        for connection in Array(connections.values) { connection.terminate() }
    }
}
