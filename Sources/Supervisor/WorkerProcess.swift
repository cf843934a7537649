import CLinux
import EventLoop
import Glibc

/// A worker process that the master has started or taken over.
///
/// The worker receives the listening socket as descriptor 0, a pipe to notify the master that it is ready or crashing
/// as descriptor 3, the scoreboard as descriptor 4, and a file to write a crash's backtrace to as descriptor 5.
///
/// The conformance to `@unchecked Sendable` is sound: this object is used on the master's loop only.
final class WorkerProcess: @unchecked Sendable {
    let pid: pid_t
    let generation: Int
    /// The index of the worker's scoreboard slot.
    let slot: Int
    /// The exit status, once the process has been reaped.
    var exit: ExitStatus?
    private let crashFile: Descriptor?
    private let pipe: WorkerPipe?

    /// Logs the worker's slow requests.
    var slowRequests = SlowRequestLog()
    /// A random addition to the worker's request limit, in thousandths of the limit, so that workers are not all
    /// recycled at the same time.
    let jitter = Int.random(in: 0...100)

    /// The numbers that the descriptors of the pipe, the scoreboard and the crash file have in the worker.
    static let pipeDescriptor: Int32 = 3
    static let scoreboardDescriptor: Int32 = 4
    static let crashDescriptor: Int32 = 5

    /// Starts a worker.
    /// - Parameter handler: Called with each notification from the worker.
    /// - Throws: `SystemError` when the worker cannot be started.
    init(
        _ command: [String], environment: [String: String], listener: Int32, scoreboard: Int32, slot: Int,
        generation: Int, on loop: Loop, handler: @escaping (WorkerPipe.Message) -> Void
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

    /// Takes over a worker that was started before the master re-executed itself.
    init(adopting worker: Inheritance.Worker) {
        (pid, generation, slot) = (worker.pid, worker.generation, worker.slot)
        pipe = nil
        crashFile = nil
    }

    /// The backtrace that a crashed worker has written, at most 64 KiB; `nil` when there is none, and for a worker that
    /// was taken over.
    var backtrace: String? { crashFile?.text(upTo: 64 << 10) }

    /// Records the exit status, after handling the notifications that are left in the pipe.
    func ended(_ status: ExitStatus) {
        pipe?.readAll()
        exit = status
    }

    /// Sends SIGTERM to make the worker drain, and SIGCONT to continue the worker if it is stopped.
    func drain() {
        signal(SIGTERM)
        signal(SIGCONT)
    }

    func signal(_ number: Int32) {
        // SIGKILL goes to the whole process group: a surviving child would keep the listening socket open.
        if number == SIGKILL { kill(-pid, SIGKILL) }
        kill(pid, number)
    }

    /// Sends SIGABRT to the thread that runs the worker's event loop, so that the worker writes that thread's
    /// backtrace, and SIGCONT to continue the worker if it is stopped.
    func abort(thread: Int) {
        _ = signal_thread(pid, Int32(truncatingIfNeeded: thread), SIGABRT)
        kill(pid, SIGCONT)
    }

    // MARK: Stuck detection

    private var lastTurn = 0
    private var unchangedInspections = 0

    /// Returns how long the worker's event loop has been stuck: the number of consecutive inspections without a new
    /// `lastTurn`, times the inspection interval. Thus the time while the machine is suspended does not count. Must be
    /// called once in each inspection.
    /// - Parameter turn: The `lastTurn` in the worker's slot.
    func stallDuration(lastTurn turn: Int) -> Duration {
        unchangedInspections = turn == lastTurn && turn != 0 ? unchangedInspections + 1 : 0
        lastTurn = turn
        return Master.inspectionInterval * unchangedInspections
    }
}
