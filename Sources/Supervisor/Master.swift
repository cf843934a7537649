import EventLoop
import Glibc
import Logging
import Scoreboard

/// Owns the listening socket, and keeps as many workers running as it should: it knows neither HTTP nor SQL.
///
/// What is done when, `Fleet` decides; this carries it out, and reports what happens. Sound as `@unchecked Sendable`: it is
/// touched on its loop only.
public final class Master: @unchecked Sendable {
    /// Why it gave up.
    public struct GaveUp: Error, CustomStringConvertible {
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
    /// The processes of the fleet's workers.
    var processes: [Fleet.Worker.ID: WorkerProcess] = [:]
    var check: CheckProcess?
    /// The variables of the workers of each generation, once they have been read.
    var environments: [Int: [String: String]] = [:]
    let finished: Waiter<Fleet.Outcome>

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
        guard let scoreboard = inherited.flatMap({ SharedScoreboard(descriptor: $0.scoreboard) }) ?? SharedScoreboard() else {
            throw GaveUp(description: "there is no memory to share with workers")
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

    /// The signals that it takes; `Signals.block` must hold them back from the start.
    public static let signals = [
        SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH, SIGCHLD,
    ]

    /// Keeps the workers running until it is told to stop.
    /// - Throws: `GaveUp` when no worker could be started at all.
    public func run() async throws {
        let watch = try Signals.watch(Master.signals, on: loop) { [unowned self] in received($0) }
        defer { watch.cancel() }
        inspect()
        handle(.started)
        reap()
        if try await finished.value() == .gaveUp {
            throw GaveUp(description: "no worker could be started: see above why")
        }
    }

    /// Lets the fleet decide, and carries that out.
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
        case SIGUSR1: log.info("the log is on standard error: there is nothing to open again")
        case SIGUSR2: handle(.signal(.execute))
        case SIGTTIN: handle(.signal(.oneMore))
        case SIGTTOU: handle(.signal(.oneLess))
        // A terminal sends it whenever it is resized.
        case SIGWINCH: if !Master.hasTerminal { handle(.signal(.none)) }
        default: break
        }
    }

    /// Takes note of children that have ended, also of those that are not its own, as the first process of a container must.
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
