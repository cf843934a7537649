import EventLoop
import Glibc
import Logging
import Scoreboard

/// The supervisor of a pool of worker processes: it owns the listening socket and keeps the configured number of
/// workers running. It knows neither HTTP nor SQL.
///
/// `Fleet` makes the decisions. The master performs the resulting actions, and passes events to the fleet.
///
/// The conformance to `@unchecked Sendable` is sound: a master is used on its loop only.
public final class Master: @unchecked Sendable {
    /// The reason why the master could not start.
    public struct StartupFailed: Error, CustomStringConvertible {
        public let description: String
    }

    let options: Options
    let listener: Int32
    let statusListener: Int32
    let scoreboard: SharedScoreboard
    let loop: Loop
    let log: Logger
    let notifier: ServiceManager
    var fleet: Fleet
    /// The processes of the fleet's workers, by worker id.
    var processes: [Fleet.Worker.ID: WorkerProcess] = [:]
    var check: CheckProcess?
    /// The environment of the workers of each generation, once it has been determined.
    var environments: [Int: [String: String]] = [:]
    let finished: Waiter<Fleet.Outcome>

    /// The counts of events so far.
    var events = Events()

    /// Called when the master begins to stop. The owner of the listening socket should close the socket: new
    /// connections are then refused as soon as the workers have closed their copies of the socket too. Otherwise, new
    /// connections would wait in the accept queue although no worker accepts them.
    public var onStop: () -> Void = {}

    /// Creates a master on the event loop that the caller runs on.
    /// - Parameters:
    ///   - options: How the workers are started, inspected and stopped.
    ///   - listener: The listening socket's descriptor, which must stay open until `onStop` is called.
    ///   - status: The descriptor of the status socket, which is passed on when the master re-executes itself; -1 for
    ///     none.
    ///   - inherited: The state of the previous program, when the master has re-executed itself.
    ///   - log: The logger for events of the workers.
    ///   - notifier: The service manager to notify of readiness, reloads and stopping.
    /// - Throws: `StartupFailed` when the shared memory cannot be created.
    public init(
        _ options: Options, listener: Int32, status: Int32, inheriting inherited: Inheritance?, log: Logger,
        notifier: ServiceManager
    ) throws(StartupFailed) {
        guard let loop = Loop.current else { preconditionFailure("a master must be created on an event loop") }
        guard let scoreboard = inherited.flatMap({ SharedScoreboard(descriptor: $0.scoreboard) }) ?? SharedScoreboard()
        else {
            throw StartupFailed(description: "cannot create the memory that is shared with the workers")
        }
        (self.options, self.listener, statusListener, self.scoreboard) = (options, listener, status, scoreboard)
        (self.loop, self.log, self.notifier) = (loop, log, notifier)
        finished = Waiter(on: loop)
        fleet = inherited?.fleet(Fleet.Options(options)) ?? Fleet(Fleet.Options(options), at: .now)
        guard let inherited else { return }
        for (worker, process) in zip(fleet.workers, inherited.workers) {
            processes[worker.id] = WorkerProcess(adopting: process)
        }
        events = inherited.events
    }

    /// The signals that the master handles. They must be blocked with `Signals.block` before any thread is started.
    public static let signals = [
        SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH, SIGCHLD,
    ]

    /// Keeps the workers running until a signal stops the master, and returns when all workers have terminated.
    /// - Throws: `StartupFailed` when no worker could be started, `SystemError` when signals cannot be watched.
    public func run() async throws {
        let watch = try Signals.watch(Master.signals, on: loop) { [unowned self] in received($0) }
        defer { watch.cancel() }
        inspect()
        handle(.started)
        reap()
        if try await finished.value() == .startupFailed {
            throw StartupFailed(description: "no worker could be started: see the errors above")
        }
    }

    /// Passes an event to the fleet, and performs the resulting actions.
    func handle(_ event: Fleet.Event) {
        var events = [event]
        while !events.isEmpty {
            for action in fleet.handle(events.removeFirst(), at: .now) { perform(action).map { events.append($0) } }
        }
    }

    private static let hasTerminal = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO].contains { isatty($0) == 1 }

    private func received(_ signal: Int32) {
        switch signal {
        case SIGCHLD: reap()
        case SIGTERM, SIGQUIT: handle(.signal(.stop))
        case SIGINT: handle(.signal(.interrupt))
        case SIGHUP: handle(.signal(.reload))
        case SIGUSR1: log.info("the log is written to standard error: there is no file to reopen")
        case SIGUSR2: handle(.signal(.execute))
        case SIGTTIN: handle(.signal(.addWorker))
        case SIGTTOU: handle(.signal(.removeWorker))
        // A terminal sends SIGWINCH whenever it is resized.
        case SIGWINCH: if !Master.hasTerminal { handle(.signal(.removeAllWorkers)) }
        default: break
        }
    }

    /// Reaps children that have terminated, including orphans that are not workers, as the init process of a container
    /// must.
    private func reap() {
        var raw: Int32 = 0
        while case let pid = waitpid(-1, &raw, WNOHANG), pid > 0 {
            let status = ExitStatus(raw: raw)
            if let check, check.pid == pid {
                self.check = nil
                handle(.checked(problem: check.problem(status)))
            } else if let (id, process) = processes.first(where: { $0.value.pid == pid }) {
                process.ended(status)
                handle(.exited(id, isClean: status == .code(0)))
                scoreboard.retire(process.slot)
                processes[id] = nil
            }
        }
    }
}
