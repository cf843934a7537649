import EventLoop
import Glibc
import Logging
import Scoreboard

/// Owns the listening socket, and keeps as many workers running as it should: it knows neither HTTP nor SQL.
///
/// A reload starts a new worker for each old one, and lets an old one finish only when a new one is ready: there are never fewer.
/// Sound as `@unchecked Sendable`: it is touched on its loop only.
public final class Master: @unchecked Sendable {
    /// How workers are started and stopped.
    public struct Options: Sendable {
        /// How many workers there are.
        public var workers: Int
        /// How long a worker may take until it is ready.
        public var startupTimeout = Duration.seconds(10)
        /// How long a worker may take to finish what it does.
        public var gracefulTimeout = Duration.seconds(35)
        /// After how many requests a worker is replaced, up to a tenth more; `nil` for never.
        public var maxRequests: Int?
        /// With how much resident memory a worker is replaced, in bytes; `nil` for never.
        public var maxMemory: Int?
        /// How long a request takes before it is logged as slow.
        public var slowRequest = Duration.seconds(1)
        /// How long a worker's loop may not turn before the worker is replaced.
        public var stuckAfter = Duration.seconds(25)
        /// The program and its arguments.
        public var command: [String]
        /// The variables of the workers, read anew for each generation.
        public var environment: @Sendable () throws -> [String: String]

        /// Makes options with the usual times: 10 s to start, 35 s to finish.
        public init(
            workers: Int, command: [String], environment: @escaping @Sendable () throws -> [String: String]
        ) {
            (self.workers, self.command, self.environment) = (workers, command, environment)
        }
    }

    /// Why it gave up.
    public struct GaveUp: Error, CustomStringConvertible {
        public let description: String
    }

    let options: Options
    let listener: Int32
    private let statusListener: Int32
    let board: Board
    let loop: Loop
    let log: Logger
    private let notifier: ServiceManager
    var workers: [WorkerProcess] = []
    var target: Int
    private var environment: [String: String] = [:]
    var generation = 1
    private var backoff = StartBackoff()
    /// Whether a worker has ever been ready: from then on, it never gives up.
    private var wasHealthy = false
    var isStopping = false
    var isReloading = false
    /// Whether one worker is being replaced because it is worn, and whether there is one too many for that.
    var isRecycling = false
    var isStartingSpare = false
    private var reloadsAgain = false
    private var reexecutesNext = false
    private let finished: Waiter<Result<Void, GaveUp>>

    /// What has happened so far.
    var events = Events()

    /// Called when it is told to stop: whoever has the listening socket closes it, so that new connections are refused at once
    /// instead of waiting for nobody.
    public var onStop: () -> Void = {}

    /// Makes a master, on the loop that the caller runs on.
    /// - Parameters:
    ///   - listener: the listening socket's descriptor, which stays open for as long as the master runs.
    ///   - status: that of the socket for questions about the status, which a master that re-executes itself keeps; -1 for none.
    ///   - inherited: what a master knew that re-executed itself as this one.
    /// - Throws: `GaveUp` when there is no memory to share.
    public init(
        _ options: Options, listener: Int32, status: Int32, inheriting inherited: Inheritance?, log: Logger,
        notifier: ServiceManager
    ) throws(GaveUp) {
        guard let loop = Loop.current else { preconditionFailure("a master runs on a loop") }
        guard let board = inherited.flatMap({ Board(descriptor: $0.board) }) ?? Board() else {
            throw GaveUp(description: "there is no memory to share with workers")
        }
        (self.options, self.listener, statusListener, self.board) = (options, listener, status, board)
        (self.loop, self.log, self.notifier) = (loop, log, notifier)
        target = options.workers
        finished = Waiter(on: loop)
        guard let inherited else { return }
        workers = inherited.workers.map { WorkerProcess(adopting: $0, on: loop) }
        for worker in workers where worker.isEnding {
            loop.schedule(at: Instant.now.advanced(by: options.gracefulTimeout)) { [weak worker] in worker?.killNow() }
        }
        (generation, target, events) = (inherited.generation, inherited.target, inherited.events)
        wasHealthy = true
    }

    /// The signals that it takes; `Signals.block` must hold them back from the start.
    public static let signals = [
        SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH, SIGCHLD,
    ]

    /// Keeps the workers running until it is told to stop.
    /// - Throws: `GaveUp` when no worker could be started at all.
    public func run() async throws {
        let watch = try Signals.watch(Master.signals, on: loop) { [unowned self] in received($0) }
        defer { watch.cancel() }
        environment = try options.environment()
        inspect()
        if wasHealthy {
            reap()
            reload()
        } else {
            maintain()
        }
        try (try await finished.value()).get()
    }

    // MARK: Signals

    private func received(_ signal: Int32) {
        switch signal {
        case SIGCHLD: reap()
        case SIGTERM, SIGQUIT: stop()
        case SIGINT: if isStopping { workers.forEach { $0.killNow() } } else { stop() }
        case SIGHUP: reload()
        case SIGUSR1: log.info("the log is on standard error: there is nothing to open again")
        case SIGUSR2: reexecute()
        case SIGTTIN: resize(to: target + 1)
        case SIGTTOU: resize(to: max(1, target - 1))
        case SIGWINCH: resize(to: 0)
        default: break
        }
    }

    /// Takes note of children that have ended, also of those that are not its own, as the first process of a container must.
    private func reap() {
        var raw: Int32 = 0
        while case let pid = waitpid(-1, &raw, WNOHANG), pid > 0 {
            guard let index = workers.firstIndex(where: { $0.pid == pid }) else { continue }
            let worker = workers.remove(at: index)
            worker.ended(ExitStatus(raw: raw))
            board.retire(worker.slot)
            ended(worker)
        }
    }

    private func ended(_ worker: WorkerProcess) {
        guard let status = worker.exit else { return }
        let backtrace = worker.backtrace
        if worker.isEnding, backtrace == nil {
            log.info("a worker has ended", metadata: ["worker": "\(worker.pid)", "status": "\(status)"])
        } else {
            var metadata: Logger.Metadata = ["worker": "\(worker.pid)", "status": "\(status)"]
            backtrace.map { metadata["backtrace"] = "\($0)" }
            log.error("a worker died", metadata: metadata)
            if worker.isReady, !worker.isEnding { events.crashes += 1 }
        }
        if !worker.hasCrashed { backoff.ended(worker) }
        if isStopping { return stopped() }
        maintain()
    }

    // MARK: As many as there should be

    /// The workers that were not told to end.
    private var running: [WorkerProcess] { workers.filter { !$0.isEnding } }

    /// Starts what is missing, and ends what is too much, but for one that is about to replace another.
    func maintain() {
        guard !isStopping else { return }
        if !isReloading, !isStartingSpare {
            for worker in running.dropFirst(target) { Task(executorPreference: loop) { await self.drain(worker) } }
        }
        let missing = target - running.count
        guard missing > 0 else { return }
        if !wasHealthy, backoff.failures >= max(target, 1) {
            return finished.resume(
                returning: .failure(GaveUp(description: "no worker could be started: see above why")))
        }
        loop.schedule(at: Instant.now.advanced(by: backoff.pause)) { [weak self] in self?.start(missing) }
    }

    private func start(_ count: Int) {
        guard !isStopping else { return }
        for _ in 0..<max(0, min(count, target - running.count)) {
            guard let worker = spawn() else { return }
            if wasHealthy { events.respawns += 1 }
            Task(executorPreference: loop) { await self.settle(worker) }
        }
    }

    private func settle(_ worker: WorkerProcess) async {
        if await worker.becomesReady(within: options.startupTimeout, on: loop) {
            becameReady(worker)
        } else if worker.exit == nil {
            log.error("a worker was not ready in time, and is ended", metadata: ["worker": "\(worker.pid)"])
            kill(worker.pid, SIGKILL)
        }
    }

    func becameReady(_ worker: WorkerProcess) {
        log.info("a worker is ready", metadata: ["worker": "\(worker.pid)", "generation": "\(worker.generation)"])
        backoff.reset()
        if !wasHealthy { notifier.ready() }
        wasHealthy = true
    }

    func spawn() -> WorkerProcess? {
        let taken = Set(workers.map(\.slot))
        guard let slot = (1..<Board.capacity).first(where: { !taken.contains($0) }) else {
            log.error("there are \(workers.count) workers already: no more can be watched")
            return nil
        }
        do {
            let worker = try WorkerProcess(
                options.command, environment: environment, listener: listener, board: board.descriptor, slot: slot,
                generation: generation, on: loop)
            worker.onCrash = { [unowned self, unowned worker] in crashed(worker) }
            workers.append(worker)
            return worker
        } catch {
            log.error("\(error)")
            backoff.failed()
            loop.schedule(at: Instant.now.advanced(by: backoff.pause)) { [weak self] in self?.maintain() }
            return nil
        }
    }

    /// Starts another at once: this one may take seconds to say where it crashed.
    private func crashed(_ worker: WorkerProcess) {
        log.error("a worker crashed", metadata: ["worker": "\(worker.pid)"])
        events.crashes += 1
        backoff.ended(worker)
        maintain()
    }

    func drain(_ worker: WorkerProcess) async { await worker.drain(within: options.gracefulTimeout, on: loop) }

    private func resize(to count: Int) {
        target = count
        log.info("workers wanted", metadata: ["count": "\(count)"])
        maintain()
    }

    // MARK: Reloading

    private func reload() {
        guard !isStopping else { return }
        guard !isReloading else { return reloadsAgain = true }
        isReloading = true
        Task(executorPreference: loop) { await self.replaceAll() }
    }

    /// One new worker for each old one: an old one is told to finish when a new one is ready, unless one has died meanwhile. When
    /// a new one fails, the old ones go on.
    private func replaceAll() async {
        notifier.reloading()
        if target == 0 { target = options.workers }
        var problem: String?
        do { environment = try options.environment() } catch { problem = "\(error)" }
        let old = running
        generation += 1
        for _ in 0..<target where problem == nil && !isStopping {
            // Those that died meanwhile were replaced by new ones already.
            guard running.count(where: { worker in !old.contains { $0 === worker } }) < target else { break }
            guard let worker = spawn(), await worker.becomesReady(within: options.startupTimeout, on: loop) else {
                problem = "a new worker did not get ready"
                break
            }
            becameReady(worker)
            if running.count > target, let worker = old.first(where: { !$0.isEnding }) { await drain(worker) }
        }
        if problem == nil { for worker in old where !worker.isEnding { await drain(worker) } }
        ended(reload: problem)
    }

    private func ended(reload problem: String?) {
        if let problem {
            generation -= 1
            events.failedReloads += 1
            events.lastReload = ("failed: \(problem)", Int(time(nil)))
            log.error("the reload failed, and the old workers go on: \(problem)")
            for worker in workers where worker.generation > generation && !worker.isReady { worker.killNow() }
        } else {
            events.reloads += 1
            events.lastReload = ("done", Int(time(nil)))
            log.info("reloaded", metadata: ["generation": "\(generation)"])
        }
        isReloading = false
        notifier.ready()
        if isStopping { return stopped() }
        if reexecutesNext { return reexecute() }
        if reloadsAgain {
            reloadsAgain = false
            return reload()
        }
        maintain()
    }

    // MARK: Becoming another program

    /// Replaces this process by its program, which may be a newer one, under the same process id and with the same socket. The
    /// workers stay, and are replaced one by one by the new master.
    private func reexecute() {
        guard !isStopping else { return }
        guard !isReloading else { return reexecutesNext = true }
        reexecutesNext = false
        log.info("re-executing")
        let state = Inheritance(
            listener: listener, status: statusListener, board: board.descriptor, generation: generation,
            target: target, events: events,
            workers: workers.filter(\.isReady).map {
                Inheritance.Worker(
                    pid: $0.pid, generation: $0.generation, slot: $0.slot, isEnding: $0.isEnding)
            })
        log.error("cannot re-execute: \(state.execute())")
    }

    // MARK: Stopping

    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        notifier.stopping()
        log.info("stopping", metadata: ["workers": "\(workers.count)"])
        for worker in workers { Task(executorPreference: loop) { await self.drain(worker) } }
        onStop()
        stopped()
    }

    private func stopped() {
        if workers.isEmpty, !isReloading { finished.resume(returning: .success(())) }
    }
}
