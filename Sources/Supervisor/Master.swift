import EventLoop
import Glibc
import Logging

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

    private let options: Options
    private let listener: Int32
    private let loop: Loop
    private let log: Logger
    private let notifier: ServiceManager
    private var workers: [WorkerProcess] = []
    private var target: Int
    private var environment: [String: String] = [:]
    private var generation = 1
    private var backoff = StartBackoff()
    /// Whether a worker has ever been ready: from then on, it never gives up.
    private var wasHealthy = false
    private var isStopping = false
    private var isReloading = false
    private var reloadsAgain = false
    private var reexecutesNext = false
    private let finished: Waiter<Result<Void, GaveUp>>

    /// What has happened so far.
    public private(set) var events = Events()

    /// Counts of what has happened.
    public struct Events: Sendable {
        public var reloads = 0
        public var failedReloads = 0
        public var respawns = 0
        public var crashes = 0
        public var lastReload = ""
    }

    /// Makes a master, on the loop that the caller runs on.
    /// - Parameter listener: the listening socket's descriptor, which stays open for as long as the master runs.
    public init(_ options: Options, listener: Int32, log: Logger, notifier: ServiceManager) {
        guard let loop = Loop.current else { preconditionFailure("a master runs on a loop") }
        (self.options, self.listener, self.loop, self.log, self.notifier) = (options, listener, loop, log, notifier)
        target = options.workers
        finished = Waiter(on: loop)
    }

    /// The signals that it takes; `Signals.block` must hold them back from the start.
    public static let signals = [
        SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH, SIGCHLD,
    ]

    /// Keeps the workers running until it is told to stop.
    /// - Parameter inherited: what a master knew that re-executed itself as this one.
    /// - Throws: `GaveUp` when no worker could be started at all.
    public func run(inheriting inherited: Inheritance?) async throws {
        let watch = try Signals.watch(Master.signals, on: loop) { [unowned self] in received($0) }
        defer { watch.cancel() }
        environment = try options.environment()
        if let inherited {
            workers = inherited.workers.map { WorkerProcess(adopting: $0.pid, generation: $0.generation, on: loop) }
            generation = inherited.generation
            (wasHealthy, target) = (true, inherited.target)
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
            ended(worker)
        }
    }

    private func ended(_ worker: WorkerProcess) {
        guard let status = worker.exit else { return }
        if worker.isEnding {
            log.info("a worker has ended", metadata: ["pid": "\(worker.pid)", "status": "\(status)"])
        } else {
            log.error("a worker died", metadata: ["pid": "\(worker.pid)", "status": "\(status)"])
            if worker.isReady { events.crashes += 1 }
        }
        backoff.ended(worker)
        if isStopping { return stopped() }
        maintain()
    }

    // MARK: As many as there should be

    /// Starts what is missing, and ends what is too much.
    private func maintain() {
        guard !isStopping, !isReloading else { return }
        let running = workers.filter { !$0.isEnding }
        for worker in running.dropFirst(target) { Task(executorPreference: loop) { await self.drain(worker) } }
        guard running.count < target else { return }
        if !wasHealthy, backoff.failures >= max(target, 1) {
            return finished.resume(
                returning: .failure(GaveUp(description: "no worker could be started: see above why")))
        }
        let missing = target - running.count
        loop.schedule(at: Instant.now.advanced(by: backoff.pause)) { [weak self] in self?.start(missing) }
    }

    private func start(_ count: Int) {
        guard !isStopping, !isReloading else { return }
        for _ in 0..<max(0, min(count, target - workers.count { !$0.isEnding })) {
            guard let worker = spawn() else { return }
            if wasHealthy { events.respawns += 1 }
            Task(executorPreference: loop) { await self.settle(worker) }
        }
    }

    private func settle(_ worker: WorkerProcess) async {
        if await worker.becomesReady(within: options.startupTimeout, on: loop) {
            becameReady(worker)
        } else if worker.exit == nil {
            log.error("a worker was not ready in time, and is ended", metadata: ["pid": "\(worker.pid)"])
            kill(worker.pid, SIGKILL)
        }
    }

    private func becameReady(_ worker: WorkerProcess) {
        log.info("a worker is ready", metadata: ["pid": "\(worker.pid)", "generation": "\(worker.generation)"])
        backoff.reset()
        if !wasHealthy { notifier.ready() }
        wasHealthy = true
    }

    private func spawn() -> WorkerProcess? {
        do {
            let worker = try WorkerProcess(
                options.command, environment: environment, listener: listener, generation: generation, on: loop)
            workers.append(worker)
            return worker
        } catch {
            log.error("\(error)")
            backoff.failed()
            loop.schedule(at: Instant.now.advanced(by: backoff.pause)) { [weak self] in self?.maintain() }
            return nil
        }
    }

    private func drain(_ worker: WorkerProcess) async { await worker.drain(within: options.gracefulTimeout, on: loop) }

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

    /// One new worker for each old one: an old one is told to finish when a new one is ready. When a new one fails, the old ones
    /// go on.
    private func replaceAll() async {
        notifier.reloading()
        if target == 0 { target = options.workers }
        var problem: String?
        do { environment = try options.environment() } catch { problem = "\(error)" }
        let old = workers.filter { !$0.isEnding }
        generation += 1
        for place in 0..<target where problem == nil && !isStopping {
            guard let worker = spawn(), await worker.becomesReady(within: options.startupTimeout, on: loop) else {
                problem = "a new worker did not get ready"
                break
            }
            becameReady(worker)
            if place < old.count { await drain(old[place]) }
        }
        if problem == nil { for worker in old.dropFirst(target) { await drain(worker) } }
        ended(reload: problem)
    }

    private func ended(reload problem: String?) {
        if let problem {
            generation -= 1
            events.failedReloads += 1
            events.lastReload = "failed: \(problem)"
            log.error("the reload failed, and the old workers go on: \(problem)")
            for worker in workers where worker.generation > generation && !worker.isReady { worker.killNow() }
        } else {
            events.reloads += 1
            events.lastReload = "done"
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
            listener: listener, generation: generation, target: target,
            workers: workers.filter { $0.isReady && !$0.isEnding }.map { (pid: $0.pid, generation: $0.generation) })
        log.error("cannot re-execute: \(state.execute())")
    }

    // MARK: Stopping

    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        notifier.stopping()
        log.info("stopping", metadata: ["workers": "\(workers.count)"])
        for worker in workers { Task(executorPreference: loop) { await self.drain(worker) } }
        stopped()
    }

    private func stopped() {
        if workers.isEmpty, !isReloading { finished.resume(returning: .success(())) }
    }
}
