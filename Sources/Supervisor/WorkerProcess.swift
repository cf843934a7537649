import CLinux
import EventLoop
import Glibc

/// A worker that the master has started.
///
/// It gets the listening socket as descriptor 0, says that it is ready, or that it crashes, by a byte to descriptor 3, writes what
/// it does to the memory of descriptor 4, and where it crashed to the file of descriptor 5. Sound as
/// `@unchecked Sendable`: it is touched on the master's loop only.
final class WorkerProcess: @unchecked Sendable {
    let pid: pid_t
    let generation: Int
    /// Its place on the board.
    let slot: Int
    let started = Instant.now
    /// Whether it has said that it serves.
    private(set) var isReady: Bool
    /// Whether it was told to end.
    private(set) var isEnding: Bool
    private(set) var exit: ExitStatus?
    private var pipe: Int32 = -1
    private let crashFile: Int32
    private var watch: Watch?
    private let readiness: Waiter<Void>
    private let end: Waiter<Void>

    /// Whether it has said that it crashes.
    private(set) var hasCrashed = false
    /// Called when it says that it crashes.
    var onCrash: () -> Void = {}
    /// What was logged of its requests.
    var slowRequests = SlowRequests()
    /// By how many thousandths it outlives the number of requests after which it is replaced: not all at the same time.
    let jitter = Int.random(in: 0...100)

    /// What the worker finds its end of the pipe by, and the board.
    static let pipeDescriptor: Int32 = 3
    static let boardDescriptor: Int32 = 4
    static let crashDescriptor: Int32 = 5

    /// Starts a worker.
    /// - Throws: `SystemError` when it cannot be started.
    init(
        _ command: [String], environment: [String: String], listener: Int32, board: Int32, slot: Int, generation: Int,
        on loop: Loop
    ) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        try check("pipe2", pipe2(&ends, Int32(O_CLOEXEC | O_NONBLOCK)))
        defer { close(ends[1]) }
        (self.generation, self.slot) = (generation, slot)
        (isReady, isEnding) = (false, false)
        crashFile = memfd_create("aktify-crash", MFD_CLOEXEC)
        let environment = environment.merging(WorkerSide.variables(slot: slot)) { $1 }
        (readiness, end) = (Waiter(on: loop), Waiter(on: loop))
        do throws(SystemError) {
            pid = try WorkerProcess.spawn(command, environment, descriptors: [listener, ends[1], board, crashFile])
        } catch {
            close(ends[0])
            throw error
        }
        pipe = ends[0]
        watch = try loop.watch(pipe, for: .readable) { [unowned self] _ in readPipe() }
    }

    /// Takes over a worker that the master started before it re-executed itself.
    init(adopting worker: Inheritance.Worker, on loop: Loop) {
        (pid, generation, slot, isEnding) = (worker.pid, worker.generation, worker.slot, worker.isEnding)
        crashFile = -1
        isReady = true
        (readiness, end) = (Waiter(on: loop), Waiter(on: loop))
        readiness.resume(returning: ())
    }

    deinit {
        closePipe()
        if crashFile >= 0 { close(crashFile) }
    }

    private static func spawn(
        _ command: [String], _ environment: [String: String], descriptors: [Int32]
    ) throws(SystemError) -> pid_t {
        // Out of the way of those that they become.
        let high = descriptors.map { dup_above($0, 10) }
        defer { high.forEach { close($0) } }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, place) in zip(high, [0, pipeDescriptor, boardDescriptor, crashDescriptor]) {
            posix_spawn_file_actions_adddup2(&actions, descriptor, place)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The master holds signals back and ignores SIGPIPE: its workers begin as any process does.
        var (none, every) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&every)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &every)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let arguments = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var pid = pid_t()
        let code = posix_spawn(&pid, command[0], &actions, &attributes, arguments, variables)
        guard code == 0 else { throw SystemError("start \(command[0])", code: code) }
        return pid
    }

    // MARK: What it says

    private func readPipe() {
        var byte: UInt8 = 0
        let count = read(pipe, &byte, 1)
        guard count >= 0 || errno != EAGAIN else { return }
        guard count == 1 else { return closePipe() }  // It has closed its end, and will be reaped.
        if byte == UInt8(ascii: "C") {
            guard isReady, !isEnding else { return }
            (hasCrashed, isEnding) = (true, true)
            onCrash()
        } else {
            isReady = true
            readiness.resume(returning: ())
        }
    }

    private func closePipe() {
        watch?.cancel()
        watch = nil
        if pipe >= 0 { close(pipe) }
        pipe = -1
    }

    /// What it has written about its crash: at most 64 KiB.
    var backtrace: String? {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = pread(crashFile, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// Notes its end.
    func ended(_ status: ExitStatus) {
        exit = status
        closePipe()
        readiness.resume(returning: ())
        end.resume(returning: ())
    }

    /// Waits until it is ready, has ended, or the time is up.
    /// - Returns: whether it is ready.
    func becomesReady(within limit: Duration, on loop: Loop) async -> Bool {
        loop.schedule(at: Instant.now.advanced(by: limit)) { [readiness] in readiness.resume(returning: ()) }
        try? await readiness.value()
        return isReady && exit == nil
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

    /// Ends it by the signal that has its loop's thread say where it is, also when it is stopped; a few seconds later, without that.
    func abort(thread: Int, on loop: Loop) {
        isEnding = true
        _ = signal_thread(pid, Int32(thread), SIGABRT)
        kill(pid, SIGCONT)
        loop.schedule(at: Instant.now.advanced(by: .seconds(10))) { [weak self] in self?.killNow() }
    }

    // MARK: Its end

    /// Tells it to finish what it does, and kills it when it has not ended in time.
    func drain(within limit: Duration, on loop: Loop) async {
        guard exit == nil else { return }
        isEnding = true
        kill(pid, SIGTERM)
        let killing = loop.schedule(at: Instant.now.advanced(by: limit)) { [weak self] in self?.killNow() }
        try? await end.value()
        killing.cancel()
    }

    /// Ends it at once.
    func killNow() {
        isEnding = true
        if exit == nil { kill(pid, SIGKILL) }
    }
}
