import CLinux
import EventLoop
import Glibc

/// The process of a worker, which the master has started or inherited.
///
/// It gets the listening socket as descriptor 0, says that it is ready, or that it crashes, by a byte to descriptor 3, writes what
/// it does to the memory of descriptor 4, and where it crashed to the file of descriptor 5. Sound as
/// `@unchecked Sendable`: it is touched on the master's loop only.
final class WorkerProcess: @unchecked Sendable {
    let pid: pid_t
    let generation: Int
    /// Its place on the scoreboard.
    let slot: Int
    /// How it ended, once it has been reaped.
    var exit: ExitStatus?
    private let crashFile: Descriptor?
    private let pipe: WorkerPipe?

    /// What was logged of its requests.
    var slowRequests = SlowRequests()
    /// By how many thousandths it outlives the number of requests after which it is replaced: not all at the same time.
    let jitter = Int.random(in: 0...100)

    /// Which descriptors the pipe, the scoreboard and the crash file are in the worker.
    static let pipeDescriptor: Int32 = 3
    static let scoreboardDescriptor: Int32 = 4
    static let crashDescriptor: Int32 = 5

    /// Starts a worker.
    /// - Parameter handler: called with each byte that it says.
    /// - Throws: `SystemError`; nothing is left of the attempt then.
    init(
        _ command: [String], environment: [String: String], listener: Int32, scoreboard: Int32, slot: Int, generation: Int,
        on loop: Loop, handler: @escaping (WorkerPipe.Message) -> Void
    ) throws(SystemError) {
        let crashFile = try Descriptor.memory(named: "aktify-crash")
        let pipe = try WorkerPipe(on: loop, handler: handler)
        let environment = environment.merging(WorkerSide.variables(slot: slot)) { $1 }
        pid = try spawn(
            command, environment,
            descriptors: [
                (listener, 0), (pipe.writingEnd, WorkerProcess.pipeDescriptor),
                (scoreboard, WorkerProcess.scoreboardDescriptor), (crashFile.number, WorkerProcess.crashDescriptor),
            ])
        pipe.closeWritingEnd()
        (self.generation, self.slot, self.pipe) = (generation, slot, pipe)
        self.crashFile = consume crashFile
    }

    /// Takes over a worker that the master started before it re-executed itself.
    init(adopting worker: Inheritance.Worker) {
        (pid, generation, slot) = (worker.pid, worker.generation, worker.slot)
        pipe = nil
        crashFile = nil
    }

    /// What it has written about its crash: at most 64 KiB.
    var backtrace: String? { crashFile?.text(upTo: 64 << 10) }

    /// Notes its end, after all that it has said.
    func ended(_ status: ExitStatus) {
        pipe?.readAll()
        exit = status
    }

    /// Tells it to finish what it does, also when it is stopped.
    func drain() {
        signal(SIGTERM)
        signal(SIGCONT)
    }

    func signal(_ number: Int32) {
        // The whole group: a child of its would keep the listening socket open.
        if number == SIGKILL { kill(-pid, SIGKILL) }
        kill(pid, number)
    }

    /// Ends it by the signal that has its loop's thread write down where it is, also when it is stopped.
    func abort(thread: Int) {
        _ = signal_thread(pid, Int32(truncatingIfNeeded: thread), SIGABRT)
        kill(pid, SIGCONT)
    }

    // MARK: Whether it turns

    private var lastTurn = 0
    private var unchanged = 0

    /// How long its loop has not turned, counted in the master's own looks: a machine that stood still blames nobody.
    func hasNotTurned(since turn: Int) -> Duration {
        unchanged = turn == lastTurn && turn != 0 ? unchanged + 1 : 0
        lastTurn = turn
        return Master.inspectionInterval * unchanged
    }
}
