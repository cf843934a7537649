import EventLoop
import Glibc
import HTTPTypes
import Scoreboard
import Web

/// A FastCGI connection from a web server. A request is read completely before a task handles it. The next request is
/// read after the response has been sent.
///
/// The conformance to `@unchecked Sendable` is sound: a connection is used on its loop's thread only, by the loop's
/// watch and by tasks on the loop.
final class Connection: @unchecked Sendable {
    /// The connection's state; `since` is when the connection began to wait for the peer or for the application.
    enum State {
        case idle
        case receiving(since: Instant)
        /// Received input waits for a loop iteration that has time left to process it.
        case postponed
        /// The application is handling the request; nothing of the response has been sent.
        case handling(since: Instant)
        case responding
        case writing(since: Instant)
        case closed
    }

    let socket: Int32
    private let server: Server
    private let libfcgi: LibFCGIRequest
    private var watch: Watch?
    /// The task that handles this connection's requests, one after the other.
    private var task: Task<Void, Never>?
    /// Resumes the idle task with the next request, or with `nil` when the connection closes; `nil` while the task is
    /// busy.
    private var idleContinuation: UnsafeContinuation<Work?, Never>?
    /// The request being handled. A timeout replaces this object with a new one for the same request, so that the
    /// response of the cancelled task is recognized and discarded.
    private var work: Work?
    /// The scoreboard entry of the request that is being received or handled.
    private var activity: RequestActivity?
    private var state: State
    private var reader: RequestReader
    /// Whether to read from the socket again after the current request, because epoll has reported input or a
    /// disconnect.
    private var hasUnreadInput = false
    private var writableWaiter: Waiter<Void>?

    init(socket: Int32, server: Server) throws(SystemError) {
        self.socket = socket
        self.server = server
        libfcgi = LibFCGIRequest(socket: socket)
        reader = RequestReader(limits: server.limits)
        state = .receiving(since: server.loop.now)
        watch = try server.loop.watch(socket, for: Connection.interest) { [unowned self] in ready($0) }
    }

    /// The events that the connection's watch requests. They are edge-triggered: each arrival is reported once, so that
    /// a request in flight needs no re-arming of the watch, and a disconnect is noticed while a request is being
    /// handled.
    private static let interest: Readiness = [.readable, .peerClosed, .edgeTriggered]
    private static let disconnectEvents: Readiness = [.peerClosed, .hangUp, .error]

    private func ready(_ readiness: Readiness) {
        let isDisconnected = !readiness.isDisjoint(with: Connection.disconnectEvents)
        switch state {
        case .idle, .receiving:
            // Checked again after the request that may precede the end of the stream.
            hasUnreadInput = isDisconnected
            receive()
        case .postponed, .handling, .responding, .writing:
            hasUnreadInput = hasUnreadInput || isDisconnected || readiness.contains(.readable)
            if readiness.contains(.writable) { writableWaiter?.resume(returning: ()) }
            if isDisconnected, work != nil { task?.cancel() }
        case .closed: break
        }
    }

    // MARK: Receiving

    private func receive() {
        guard let buffer = try? server.readyRequestBuffer() else { return close() }
        do throws(RequestReader.Failure) {
            switch try reader.receive(from: socket, into: buffer.memory) {
            case .nothing: break
            case .partial: noteArrival()
            case .more:
                noteArrival()
                postpone { $0.receive() }
            case .request(let complete):
                if complete.isLarge { postpone { $0.begin(complete) } } else { begin(complete) }
            }
        } catch {
            if case .invalid(let violation) = error { server.report(violation) }
            close()
        }
    }

    /// Records that a part of a request has arrived.
    private func noteArrival() {
        if case .idle = state { state = .receiving(since: server.loop.now) }
        if activity == nil { activity = server.metrics.begin(at: Int(server.loop.now.nanoseconds)) }
    }

    /// Calls `action` later on the event loop, so that other connections are served first.
    private func postpone(_ action: @escaping (Connection) -> Void) {
        let before = state
        state = .postponed
        server.loop.postpone { [self] in
            guard case .postponed = state else { return }
            state = before
            action(self)
        }
    }

    private func begin(_ complete: RequestReader.CompleteRequest) {
        guard let request = request(of: complete) else { return close() }
        let activity = activity ?? server.metrics.begin(at: Int(server.loop.now.nanoseconds))
        self.activity = activity
        activity.arrived(
            method: request.method.rawValue, target: request.target, id: request.id, bodyBytes: request.body.count)
        handle(Work(request: request, rejection: complete.rejection, activity: activity))
    }

    // MARK: Handling

    /// A request to handle, and the error to respond with instead of calling the application, if any.
    private final class Work: Sendable {
        let request: Request
        let rejection: HTTPError?
        let activity: RequestActivity?

        init(request: Request, rejection: HTTPError?, activity: RequestActivity?) {
            (self.request, self.rejection, self.activity) = (request, rejection, activity)
        }
    }

    /// Passes a request to the connection's task; starts the task when there is none.
    private func handle(_ work: Work) {
        state = .handling(since: server.loop.now)
        self.work = work
        if let idleContinuation = idleContinuation.take() {
            idleContinuation.resume(returning: work)
        } else if task == nil {
            task = Task(executorPreference: server.loop) { await self.serve(work) }
        }
    }

    /// Handles requests until the connection closes or the task is cancelled.
    private func serve(_ first: Work) async {
        let holder = RequestActivity.Holder()
        await RequestActivity.$holder.withValue(holder) {
            var next: Work? = first
            while let work = next {
                holder.activity = work.activity
                let response = await response(to: work)
                guard work === self.work else { return work.activity.map(server.metrics.reuse) ?? () }
                await respond(with: response)
                next = await nextWork()
            }
        }
    }

    private func response(to work: Work) async -> Response {
        if let rejection = work.rejection { return server.application.respond(to: work.request, with: rejection) }
        return await server.application.respond(to: work.request)
    }

    /// Waits for the next request. When it has already arrived, yields to other tasks first.
    private func nextWork() async -> Work? {
        guard state.isOpen, !Task.isCancelled else { return nil }
        guard let work else { return await withUnsafeContinuation { idleContinuation = $0 } }
        await Task.yield()
        return work
    }

    /// Responds with 504 to a request that the application did not handle in time: cancels its task, whose result will
    /// be discarded, and starts a new task in its place.
    private func timeOut(_ work: Work) {
        task?.cancel()
        task = nil
        activity = activity.map { server.metrics.replace($0) }
        let advice =
            work.request.method.isSafe ? "" : " It may have been carried out, or not: check before you send it again."
        let rejection = HTTPError(.gatewayTimeout, "The request timed out." + advice)
        handle(Work(request: work.request, rejection: rejection, activity: activity))
    }

    private func request(of complete: RequestReader.CompleteRequest) -> Request? {
        guard let buffer = try? server.readyRequestBuffer() else { return nil }
        if let records = complete.records {
            guard (try? buffer.load(records)) != nil else { return nil }
        } else {
            buffer.rewind()
        }
        guard let request = libfcgi.receive(from: buffer, bodyBytes: complete.bodyBytes) else {
            server.discardRequestBuffer()
            return nil
        }
        if complete.isLarge { buffer.shrink() }
        return request
    }

    // MARK: Responding

    private func respond(with response: Response) async {
        state = .responding
        activity?.phase = .writing
        do {
            guard !Task.isCancelled else { throw CancellationError() }
            if !sendInOneWrite(response) { try await sendWithinBacklog(response) }
        } catch {
            if !(error is CancellationError), !(error is PeerTimeout), let request = work?.request {
                server.warn(
                    "aborted the response to \(request.method) \(request.target) (\(request.id)): \(error)")
            }
            libfcgi.abandon()
        }
        requestEnded()
    }

    private func requestEnded() {
        recordEnd(with: nil)
        work = nil
        if Task.isCancelled { task = nil }
        guard libfcgi.keepsConnection else { return close() }
        state = .idle
        if hasUnreadInput || reader.mayHoldMore {
            hasUnreadInput = false
            receive()
        }
    }

    /// Writes the request's log line and metrics, once. `response` is `nil` when the request was aborted; such a
    /// request is logged with status 499.
    private func recordEnd(with response: Response?) {
        guard let activity else { return }
        let (status, route) = (response?.status.code ?? 499, response?.route)
        let now = Instant.now
        if let log = server.requestLog, let request = work?.request {
            log.info(
                "request",
                metadata: [
                    "request_id": "\(request.id)", "method": "\(request.method)", "target": "\(request.target)",
                    "route": "\(route ?? "")", "status": "\(status)",
                    "duration_us": "\((Int(now.nanoseconds) - activity.began) / 1000)",
                    "database_us": "\(activity.databaseTime / 1000)",
                ])
        }
        server.metrics.end(
            activity, at: Int(now.nanoseconds), route: route, method: work?.request.method.rawValue ?? "",
            status: status)
        self.activity = nil
    }

    /// Sends a response. A body that is not streamed and exceeds libfcgi's buffer counts towards the output backlog
    /// (`Limits.outputBacklogBytes`) until it is sent. When the backlog has no room for it, sends an error instead.
    private func sendWithinBacklog(_ response: Response) async throws {
        guard case .bytes(let bytes) = response.body, bytes.count > Connection.bufferBytes else {
            return try await send(response)
        }
        guard server.reserveOutput(bytes.count) else { return try await send(backlogFullResponse) }
        defer { server.releaseOutput(bytes.count) }
        try await send(response)
    }

    /// The error to send when the output backlog (`Limits.outputBacklogBytes`) has no room for the response.
    private var backlogFullResponse: Response {
        guard let request = work?.request else { return Response(.serviceUnavailable) }
        let error =
            if request.method.isSafe {
                HTTPError(
                    .serviceUnavailable, "Too many responses are waiting to be read. Try again in a moment.",
                    headers: [.retryAfter: "1"])
            } else {
                HTTPError(
                    .badGateway,
                    """
                    The request was carried out, but too many responses are waiting to be read: send a GET request \
                    for the result.
                    """)
            }
        return server.application.respond(to: request, with: error)
    }

    private func send(_ response: Response) async throws {
        bytesWritten = 0
        switch response.body {
        case .bytes(let bytes):
            try await write(ResponseHead(response).bytes[...])
            try await write(bytes[...])
        case .stream(let produce):
            let output = Output(connection: self, head: ResponseHead(response))
            do {
                try await produce(output)
                try await output.flush()
            } catch  where !output.hasBegun && !Task.isCancelled {
                guard let request = work?.request else { throw error }
                return try await send(server.application.respond(to: request, with: error))
            }
        }
        if exceedsBuffer { try await waitUntilWritable() }
        finish(response)
    }

    /// Sends a response that is small enough for libfcgi to send in a single write.
    /// - Returns: Whether the response was sent.
    private func sendInOneWrite(_ response: Response) -> Bool {
        guard case .bytes(let bytes) = response.body else { return false }
        let head = ResponseHead(response).bytes
        guard head.count + bytes.count < Connection.bufferBytes else { return false }
        libfcgi.write(head[...])
        libfcgi.write(bytes[...])
        finish(response)
        return true
    }

    private func finish(_ response: Response) {
        // Recorded before sending, so that a client that has received the response finds it counted, even when this
        // process is killed immediately after.
        recordEnd(with: response)
        libfcgi.finish()
    }

    /// Passes bytes to libfcgi as the socket has room for them.
    /// - Throws: `PeerTimeout` when the peer does not read for too long, `CancellationError` when the peer has
    ///   disconnected.
    func write(_ bytes: ArraySlice<UInt8>) async throws {
        var rest = bytes
        while !rest.isEmpty {
            let chunk = rest.prefix(Connection.chunkBytes)
            bytesWritten += chunk.count
            if exceedsBuffer { try await waitUntilWritable() }
            libfcgi.write(chunk)
            rest = rest.dropFirst(chunk.count)
        }
    }

    /// The number of bytes of the current response passed to libfcgi, including the chunk that `write` passes next.
    private var bytesWritten = 0
    /// Whether the response fills libfcgi's output buffer, so that libfcgi sends a part of it before `finish`.
    ///
    /// A response that fits into a single write is sent without waiting for room in the socket, because a peer normally
    /// reads a response before it sends the next request. If the peer has not read the earlier responses and the socket
    /// is full, the write fails and the connection is closed.
    private var exceedsBuffer: Bool { bytesWritten >= Connection.bufferBytes }
    /// The size of libfcgi's output buffer, in bytes: the payload of one STDOUT record.
    private static let bufferBytes = 8184
    /// The number of bytes to send each time the kernel reports the socket writable. The kernel does so only when there
    /// is room for at least four times as many.
    private static let chunkBytes = 32 << 10

    /// Waits until the socket is writable, and yields to other tasks when the loop iteration has used up its time.
    private func waitUntilWritable() async throws {
        if server.loop.turnIsOver { await Task.yield() }
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        guard poll(&descriptor, 1, 0) != 1 || descriptor.revents != Int16(POLLOUT) else { return }
        let waiter = Waiter<Void>(on: server.loop)
        writableWaiter = waiter
        state = .writing(since: server.loop.now)
        watch?.change(to: Connection.interest.union(.writable))
        defer {
            writableWaiter = nil
            state = .responding
            watch?.change(to: Connection.interest)
        }
        try await waiter.value()
    }

    // MARK: Ending

    /// Closes the connection when the peer has kept it waiting (for input, or for room to write) since before `limit`.
    func closeIfPeerTimedOut(waitingSince limit: Instant) {
        switch state {
        case .receiving(let since) where since < limit: close()
        case .writing(let since) where since < limit: writableWaiter?.resume(throwing: PeerTimeout())
        default: break
        }
    }

    /// Times out the current request when the application has been handling it since before `limit`.
    func timeOutRequest(ifHandledSince limit: Instant) {
        if case .handling(let since) = state, since < limit, let work { timeOut(work) }
    }

    /// Cancels the current request, or closes the idle connection, without notifying the peer. Called when the drain
    /// timeout has passed.
    func terminate() {
        if work != nil { task?.cancel() } else { close() }
    }

    private func close() {
        guard let watch else { return }
        watch.cancel()
        self.watch = nil
        state = .closed
        idleContinuation.take()?.resume(returning: nil)
        recordEnd(with: nil)
        Glibc.close(socket)
        server.remove(self)
    }
}

extension Connection.State {
    fileprivate var isOpen: Bool { if case .closed = self { false } else { true } }
}

/// The error thrown when the peer did not read its response in time.
struct PeerTimeout: Error {}
