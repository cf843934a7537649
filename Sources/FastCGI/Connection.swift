import EventLoop
import Glibc
import HTTPTypes
import Scoreboard
import Web

/// One peer's connection: a request arrives whole, a task answers it, and the next one may come.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only, by the loop's watch and by tasks on the loop.
final class Connection: @unchecked Sendable {
    /// What a connection does; `since` is when its peer last kept it waiting.
    enum State {
        case idle
        case receiving(since: Instant)
        /// What has arrived waits for a turn in which there is time for it.
        case postponed
        /// The application works on an answer; none of it has been sent.
        case answering(since: Instant)
        case responding
        case writing(since: Instant)
        case closed
    }

    let socket: Int32
    private let server: Server
    private let exchange: LibFCGIRequest
    private var watch: Watch?
    /// Answers the connection's requests, one after the other: one task for each connection.
    private var task: Task<Void, Never>?
    /// Resumes the task with the next request, or with `nil` when the connection closes; `nil` while the task is busy.
    private var sleeper: UnsafeContinuation<Work?, Never>?
    /// What is being answered: an answer that comes after its request was given up is known by its not being this.
    private var work: Work?
    /// What others see of the request that arrives, or is being answered.
    private var activity: RequestActivity?
    private var state: State
    private var incoming: RequestReader
    /// Whether something arrived while a request was being answered.
    private var hasArrivals = false
    private var roomWaiter: Waiter<Void>?

    init(socket: Int32, server: Server) throws(SystemError) {
        self.socket = socket
        self.server = server
        exchange = LibFCGIRequest(socket: socket)
        incoming = RequestReader(limits: server.limits)
        state = .receiving(since: server.loop.now)
        watch = try server.loop.watch(socket, for: Connection.interest) { [unowned self] in ready($0) }
    }

    /// Edge-triggered: each arrival is reported once, so that a request in flight needs no re-arming, and a peer that goes
    /// away is noticed while its request is answered.
    private static let interest: Readiness = [.readable, .peerClosed, .edgeTriggered]
    private static let gone: Readiness = [.peerClosed, .hangUp, .error]

    private func ready(_ readiness: Readiness) {
        let isGone = !readiness.isDisjoint(with: Connection.gone)
        switch state {
        case .idle, .receiving:
            hasArrivals = isGone  // To be looked at again after the request that may lie before the end.
            receive()
        case .postponed, .answering, .responding, .writing:
            hasArrivals = hasArrivals || isGone || readiness.contains(.readable)
            if readiness.contains(.writable) { roomWaiter?.resume(returning: ()) }
            if isGone, work != nil { task?.cancel() }
        case .closed: break
        }
    }

    // MARK: Receiving

    private func receive() {
        guard let buffer = try? server.readyRequestBuffer() else { return close() }
        do throws(RequestReader.Failure) {
            switch try incoming.receive(from: socket, into: buffer.memory) {
            case .nothing: break
            case .partial: arrive()
            case .more:
                arrive()
                postpone { $0.receive() }
            case .request(let whole):
                if whole.isLarge { postpone { $0.begin(whole) } } else { begin(whole) }
            }
        } catch {
            if case .refused(let refusal) = error { server.report(refusal) }
            close()
        }
    }

    /// Notes that a part of a request has arrived.
    private func arrive() {
        if case .idle = state { state = .receiving(since: server.loop.now) }
        if activity == nil { activity = server.metrics.begin(at: Int(server.loop.now.nanoseconds)) }
    }

    /// Goes on when those that have little to do have had their turn.
    private func postpone(_ action: @escaping (Connection) -> Void) {
        let before = state
        state = .postponed
        server.loop.postpone { [self] in
            guard case .postponed = state else { return }
            state = before
            action(self)
        }
    }

    private func begin(_ whole: RequestReader.CompleteRequest) {
        guard let request = request(of: whole) else { return close() }
        let activity = activity ?? server.metrics.begin(at: Int(server.loop.now.nanoseconds))
        self.activity = activity
        activity.arrived(
            method: request.method.rawValue, target: request.target, id: request.id, bodyBytes: request.body.count)
        answer(Work(request: request, refusal: whole.refusal, activity: activity))
    }

    // MARK: Answering

    /// A request, and what to answer it with in place of the application.
    private final class Work: Sendable {
        let request: Request
        let refusal: HTTPError?
        let activity: RequestActivity?

        init(request: Request, refusal: HTTPError?, activity: RequestActivity?) {
            (self.request, self.refusal, self.activity) = (request, refusal, activity)
        }
    }

    /// Hands work to the connection's task; starts one when there is none.
    private func answer(_ work: Work) {
        state = .answering(since: server.loop.now)
        self.work = work
        if let sleeper = sleeper.take() {
            sleeper.resume(returning: work)
        } else if task == nil {
            task = Task(executorPreference: server.loop) { await self.serve(work) }
        }
    }

    /// Answers requests until the connection ends, or the task was cancelled.
    private func serve(_ first: Work) async {
        let holder = RequestActivity.Holder()
        await RequestActivity.$holder.withValue(holder) {
            var next: Work? = first
            while let work = next {
                holder.activity = work.activity
                let response = await response(to: work)
                guard work === self.work else { return work.activity.map(server.metrics.giveBack) ?? () }
                await respond(with: response)
                next = await nextWork()
            }
        }
    }

    private func response(to work: Work) async -> Response {
        if let refusal = work.refusal { return server.application.respond(to: work.request, with: refusal) }
        return await server.application.respond(to: work.request)
    }

    /// Waits for the next request. When it is there already, others have their turn before it.
    private func nextWork() async -> Work? {
        guard state.isOpen, !Task.isCancelled else { return nil }
        guard let work else { return await withUnsafeContinuation { sleeper = $0 } }
        await Task.yield()
        return work
    }

    /// Gives the application's answer up, and tells the peer so: the task is cancelled, whatever it makes is thrown away, and
    /// another one takes its place.
    private func giveUp(_ work: Work) {
        task?.cancel()
        task = nil
        activity = activity.map { server.metrics.replace($0) }
        let advice = work.request.method.isSafe ? "" : " The change may have been made: look before you send it again."
        let refusal = HTTPError(.gatewayTimeout, "The answer took too long." + advice)
        answer(Work(request: work.request, refusal: refusal, activity: activity))
    }

    private func request(of whole: RequestReader.CompleteRequest) -> Request? {
        guard let buffer = try? server.readyRequestBuffer() else { return nil }
        if let records = whole.records {
            guard (try? buffer.load(records)) != nil else { return nil }
        } else {
            buffer.rewind()
        }
        guard let request = exchange.receive(from: buffer, bodyBytes: whole.bodyBytes) else {
            server.discardRequestBuffer()
            return nil
        }
        if whole.isLarge { buffer.shrink() }
        return request
    }

    // MARK: Responding

    private func respond(with response: Response) async {
        state = .responding
        activity?.phase = .writing
        do {
            guard !Task.isCancelled else { throw CancellationError() }
            if !sendAtOnce(response) { try await hold(response) }
        } catch {
            if !(error is CancellationError), !(error is SlowPeer), let request = work?.request {
                server.note(
                    "the response to \(request.method) \(request.target) (\(request.id)) was broken off: \(error)")
            }
            exchange.abandon()
        }
        finished()
    }

    private func finished() {
        report(answered: nil)
        work = nil
        if Task.isCancelled { task = nil }
        guard exchange.keepsConnection else { return close() }
        state = .idle
        if hasArrivals || incoming.holdsMore {
            hasArrivals = false
            receive()
        }
    }

    /// Says once how the request that is under way ended.
    private func report(answered response: Response?) {
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
                    "database_us": "\(activity.database / 1000)",
                ])
        }
        server.metrics.end(
            activity, at: Int(now.nanoseconds), route: route, method: work?.request.method.rawValue ?? "",
            status: status)
        self.activity = nil
    }

    /// Sends a response while its bytes are counted among those that wait for their peers, or an error when they are too many.
    private func hold(_ response: Response) async throws {
        guard case .bytes(let bytes) = response.body, bytes.count > Connection.bufferBytes else {
            return try await send(response)
        }
        guard server.hold(bytes.count) else { return try await send(noRoom) }
        defer { server.release(bytes.count) }
        try await send(response)
    }

    /// What is answered in place of a response that there is no room for.
    private var noRoom: Response {
        guard let request = work?.request else { return Response(.serviceUnavailable) }
        let error =
            if request.method.isSafe {
                HTTPError(
                    .serviceUnavailable, "Too many responses wait to be read. Try again in a moment.",
                    headers: [.retryAfter: "1"])
            } else {
                HTTPError(
                    .badGateway,
                    "This was done, but too many responses wait to be read, so that it cannot be shown: ask for it.")
            }
        return server.application.respond(to: request, with: error)
    }

    private func send(_ response: Response) async throws {
        buffered = 0
        switch response.body {
        case .bytes(let bytes):
            try await write(ResponseHead(response).bytes[...])
            try await write(bytes[...])
        case .stream(let produce):
            let output = Output(connection: self, head: ResponseHead(response))
            do {
                try await produce(output)
                try await output.end()
            } catch  where !output.hasBegun && !Task.isCancelled {
                guard let request = work?.request else { throw error }
                return try await send(server.application.respond(to: request, with: error))
            }
        }
        if sentSome { try await room() }
        end(response)
    }

    /// Sends a response that libfcgi sends in a single write.
    /// - Returns: whether it is one.
    private func sendAtOnce(_ response: Response) -> Bool {
        guard case .bytes(let bytes) = response.body else { return false }
        let head = ResponseHead(response).bytes
        guard head.count + bytes.count < Connection.bufferBytes else { return false }
        exchange.write(head[...])
        exchange.write(bytes[...])
        end(response)
        return true
    }

    private func end(_ response: Response) {
        // First: whoever has read an answer finds it counted, also when this process is killed at once.
        report(answered: response)
        exchange.finish()
    }

    /// Hands bytes to libfcgi as the socket has room for them.
    /// - Throws: `SlowPeer` when there is no room for too long, `CancellationError` when the peer is gone.
    func write(_ bytes: ArraySlice<UInt8>) async throws {
        var rest = bytes
        while !rest.isEmpty {
            let chunk = rest.prefix(Connection.chunkBytes)
            buffered += chunk.count
            if sentSome { try await room() }
            exchange.write(chunk)
            rest = rest.dropFirst(chunk.count)
        }
    }

    /// Bytes of this response that libfcgi was given.
    private var buffered = 0
    /// Whether libfcgi sends before the response's end. One that it sends in a single write needs no question whether there is
    /// room: a peer that asks again has read what it was sent before. One that has not is cut off by the write that fails.
    private var sentSome: Bool { buffered >= Connection.bufferBytes }
    /// What one STDOUT record of libfcgi's holds.
    private static let bufferBytes = 8184
    /// What is sent on one word of the kernel's that there is room: its threshold leaves at least four times as much.
    private static let chunkBytes = 32 << 10

    /// Waits until the socket has room, and lets others have their turn.
    private func room() async throws {
        if server.loop.turnIsOver { await Task.yield() }
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        guard poll(&descriptor, 1, 0) != 1 || descriptor.revents != Int16(POLLOUT) else { return }
        let waiter = Waiter<Void>(on: server.loop)
        roomWaiter = waiter
        state = .writing(since: server.loop.now)
        watch?.change(to: Connection.interest.union(.writable))
        defer {
            roomWaiter = nil
            state = .responding
            watch?.change(to: Connection.interest)
        }
        try await waiter.value()
    }

    // MARK: Ending

    /// Cuts the peer off when it has kept this connection waiting since before `limit`.
    func cutOff(ifWaitingSince limit: Instant) {
        switch state {
        case .receiving(let since) where since < limit: close()
        case .writing(let since) where since < limit: roomWaiter?.resume(throwing: SlowPeer())
        default: break
        }
    }

    /// Gives up an answer that the application has been making since before `limit`.
    func giveUp(ifAnsweringSince limit: Instant) {
        if case .answering(let since) = state, since < limit, let work { giveUp(work) }
    }

    /// Ends what runs, and closes without another word: the drain's deadline has passed.
    func end() {
        if work != nil { task?.cancel() } else { close() }
    }

    private func close() {
        guard let watch else { return }
        watch.cancel()
        self.watch = nil
        state = .closed
        sleeper.take()?.resume(returning: nil)
        report(answered: nil)
        Glibc.close(socket)
        server.forget(self)
    }
}

extension Connection.State {
    fileprivate var isOpen: Bool { if case .closed = self { false } else { true } }
}

/// A peer made no room for its response in time.
struct SlowPeer: Error {}
