import CLinux
import EventLoop
import Glibc
import Logging
import Scoreboard
import Web

/// A FastCGI responder on one loop: accepts connections and lets an application answer their requests.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only; made elsewhere, it is handed over whole.
public final class Server: @unchecked Sendable {
    let loop: Loop
    let application: Application
    let limits: Limits
    let metrics: WorkerMetrics
    /// Where each request is logged; `nil` when it is not.
    let requestLog: Logger?
    /// Where requests are received, and libfcgi reads them: one connection at a time.
    private var buffer: RequestBuffer?
    /// Bytes of responses that wait for their peers to read them.
    private var held = OutputBacklog()

    private var listener: ListeningSocket?
    private var listenerWatch: Watch?
    private var connections: [Int32: Connection] = [:]
    private let drained: Waiter<Void>
    private var isDraining = false
    private var log: RateLimitedLog

    /// Makes a server for connections to come.
    /// - Parameters:
    ///   - application: what answers; it must belong to the same loop.
    ///   - loop: the loop to run on; the caller must be on its thread.
    ///   - metrics: where others see what it does.
    ///   - logsRequests: whether each request is logged when it ends.
    public init(
        application: Application, loop: Loop, limits: Limits = Limits(), metrics: WorkerMetrics = WorkerMetrics(), log: Logger,
        logsRequests: Bool = false
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

    /// Starts to accept from `listener`, as other loops and processes may at the same time.
    /// - Throws: `SystemError` when the socket cannot be watched.
    public func listen(on listener: ListeningSocket) throws(SystemError) {
        self.listener = listener
        listenerWatch = try loop.watch(listener.descriptor, for: [.readable, .exclusive]) { [unowned self] _ in accept()
        }
    }

    /// Accepts one connection: the next turn takes the next, and other loops their share.
    private func accept() {
        guard let listener else { return }
        _ = accept(from: listener)
    }

    /// - Returns: whether there was one.
    private func accept(from listener: ListeningSocket) -> Bool {
        let socket = accept4(listener.descriptor, nil, nil, Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue))
        guard socket >= 0 else {
            acceptFailed(errno)
            return false
        }
        do throws(SystemError) { try adopt(socket) } catch { acceptFailed(error.code) }
        return true
    }

    /// Goes on at once after a connection that vanished; after a lack of descriptors or memory, in a moment.
    private func acceptFailed(_ code: Int32) {
        guard ![EAGAIN, EINTR, ECONNABORTED].contains(code), listener != nil else { return }
        log.warning("cannot accept a connection: \(SystemError("accept", code: code))")
        listenerWatch?.cancel()
        scheduleRearming()
    }

    private func scheduleRearming() {
        loop.schedule(at: loop.now.advanced(by: .milliseconds(100))) { [weak self] in self?.rearm() }
    }

    /// Watches the listener again; where that fails, it is tried again until it works.
    private func rearm() {
        guard !isDraining, let listener else { return }
        do throws(SystemError) { try listen(on: listener) } catch {
            log.warning("cannot watch the listening socket: \(error)")
            scheduleRearming()
        }
    }

    /// Serves a connection; from here on its socket is the server's to close.
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

    /// A buffer of one size everywhere, so that "writable" always means room for a chunk; no waiting for more on TCP.
    private func prepare(_ socket: Int32) {
        var bytes: Int32 = 256 << 10
        var on: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout.size(ofValue: bytes)))
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout.size(ofValue: on)))
    }

    // MARK: What connections ask for

    /// The buffer, made when there is none.
    func readyRequestBuffer() throws(SystemError) -> RequestBuffer {
        if let buffer { return buffer }
        let new = try RequestBuffer()
        buffer = new
        return new
    }

    /// Replaces the buffer, whose descriptor libfcgi has closed.
    func discardRequestBuffer() {
        buffer?.disown()
        buffer = nil
    }

    /// Logs what went wrong with a response, once a second at most.
    func note(_ message: @autoclosure () -> String) { log.warning(message()) }

    /// Counts a response's bytes among those that wait for their peers, until they are released.
    /// - Returns: whether there is room for them; one response has room always.
    func hold(_ bytes: Int) -> Bool {
        let hasRoom = held.hold(bytes, atMost: limits.heldBytes)
        if !hasRoom {
            log.warning("a response is not sent: \(held.count) bytes of others wait for peers that do not read")
        }
        return hasRoom
    }

    func release(_ bytes: Int) { held.release(bytes) }

    func forget(_ connection: Connection) {
        connections[connection.socket] = nil
        if isDraining, connections.isEmpty { drained.resume(returning: ()) }
    }

    func report(_ refusal: RequestGuard.Refusal) { log.warning("a peer was cut off: \(refusal)") }

    // MARK: Patience

    private static let sweepInterval = Duration.seconds(1)

    /// Once a second, cuts off peers that have kept a connection waiting, gives up answers that take too long, and gives back memory:
    /// no timer for each request.
    private func sweep() {
        let limit = loop.now.advanced(by: .zero - limits.patience)
        let due = loop.now.advanced(by: .zero - limits.answer)
        for connection in Array(connections.values) {
            connection.cutOff(ifWaitingSince: limit)
            connection.giveUp(ifAnsweringSince: due)
        }
        if held.takePeak() { trim() }
        scheduleSweep()
    }

    /// Returns freed memory to the system, which glibc's malloc keeps otherwise; on a helper thread, since it takes tens of
    /// milliseconds for a gigabyte.
    private func trim() {
        Task(executorPreference: loop) { [loop] in try? await loop.offload { _ = malloc_trim(0) } }
    }

    private func scheduleSweep() {
        loop.schedule(at: loop.now.advanced(by: Server.sweepInterval)) { [weak self] in self?.sweep() }
    }

    // MARK: Draining

    /// Accepts what waits, and no more, and returns when every connection is closed by its peer, or the drain's deadline has passed.
    ///
    /// Kept connections go on being served: FastCGI has no word for "connection: close", so a peer may be sending its next
    /// request on one that we would close.
    public func drain() async {
        isDraining = true
        // Those that the kernel has taken already: when the socket closes, they would be cut off.
        while let listener, accept(from: listener) {}
        listenerWatch?.cancel()
        listener = nil
        guard !connections.isEmpty else { return }
        let deadline = loop.now.advanced(by: limits.drain)
        let timer = loop.schedule(at: deadline) { [drained] in drained.resume(returning: ()) }
        defer { timer.cancel() }
        try? await drained.value()
        for connection in Array(connections.values) { connection.end() }
    }
}
