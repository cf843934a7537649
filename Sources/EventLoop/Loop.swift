import CLinux
import DequeModule
import Glibc
import HeapModule
import Synchronization

/// One thread that waits in epoll, fires timers and runs Swift tasks: the whole of a worker's concurrency.
///
/// A turn handles what is ready, fires the timers that are due, runs jobs until none is left, then what was postponed, and
/// last what was left for its end. It has a budget of time: what is not done by then waits for the next turn, after a look at
/// what has become ready meanwhile. Everything that belongs to a loop (watches, timers, the connections built on them) is
/// touched on its thread only, and so needs no lock.
/// `Task(executorPreference: loop) { … }` starts a task on it from any thread.
///
/// Sound as `@unchecked Sendable`: other threads may call only `enqueue` and `stop`, which use the locked inbox; every
/// other member asserts that it runs on the loop's own thread.
public final class Loop: @unchecked Sendable {
    private let poller: Int32
    private let wakeup: Int32
    private let inbox = Mutex<[UnownedJob]>([])
    /// Orders what happens before a job is handed over and after it for the thread sanitizer, which cannot see into the library's
    /// `Mutex`.
    private let inboxOrder = Atomic(false)
    private let stopping = Atomic(false)

    private static let wakeupToken = UInt64.max
    private static let batch = 128
    /// How long a turn may go on before it leaves the rest to the next one.
    private static let budget = Duration.milliseconds(5)
    /// So many jobs are run between two looks at the clock.
    private static let jobsALook = 8
    private let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: batch)

    private var thread: pthread_t?
    /// How many calls run on threads of their own, and have not come back.
    var offloaded = 0
    private var jobs = Deque<UnownedJob>()
    private var postponed = Deque<() -> Void>()
    /// Those of `events` that the present batch has not delivered yet.
    private var undelivered = 0..<0
    private var timers = Heap<Timer>()
    private var lastActions: [() -> Void] = []
    private var watches: [Watch?] = []
    private var generation: UInt32 = 0

    /// The moment at which the present turn began, in place of a clock read for each use.
    public private(set) var now = Instant.now
    private var turnEnd = Instant.now

    /// Makes a loop; it starts to turn when `run` is called.
    /// - Throws: `SystemError` when the process is out of descriptors.
    public init() throws(SystemError) {
        poller = try check("epoll_create1", epoll_create1(Int32(EPOLL_CLOEXEC)))
        wakeup = try check("eventfd", eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)))
        try register(wakeup, Readiness.readable.rawValue, token: Loop.wakeupToken)
    }

    deinit {
        events.deallocate()
        close(wakeup)
        close(poller)
    }

    /// Turns until `stop` is called, on the thread that calls it.
    public func run() {
        precondition(thread == nil, "this loop runs already")
        thread = pthread_self()
        let outer = Loop.current
        Loop.current = self
        defer {
            Loop.current = outer
            thread = nil
        }
        while !stopping.exchange(false, ordering: .acquiring) { turn() }
    }

    /// Ends `run` after the present turn; may be called from any thread.
    public func stop() {
        stopping.store(true, ordering: .releasing)
        wake()
    }

    /// Whether the caller is on this loop's thread.
    public var isCurrent: Bool { thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }

    /// Stops the process, in debug builds, when the caller is not on this loop's thread.
    public func assertCurrent() { assert(isCurrent, "this belongs to another loop's thread") }

    // MARK: Watching descriptors

    /// Calls `handler` on the loop whenever `descriptor` is ready as `interest` asks, until the watch is cancelled.
    /// - Throws: `SystemError` when the kernel refuses (a regular file, no memory).
    public func watch(
        _ descriptor: Int32, for interest: Readiness, _ handler: @escaping (Readiness) -> Void
    ) throws(SystemError) -> Watch {
        generation &+= 1
        let watch = Watch(descriptor: descriptor, generation: generation, loop: self, handler: handler)
        try register(descriptor, interest.rawValue, token: watch.token)
        while watches.count <= Int(descriptor) { watches.append(nil) }
        watches[Int(descriptor)] = watch
        return watch
    }

    func change(_ watch: Watch, to interest: Readiness) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data(u64: watch.token))
        epoll_ctl(poller, EPOLL_CTL_MOD, watch.descriptor, &event)
    }

    func forget(_ watch: Watch) {
        let index = Int(watch.descriptor)
        guard watches[index] === watch else { return }
        watches[index] = nil
        var unused = epoll_event()
        epoll_ctl(poller, EPOLL_CTL_DEL, watch.descriptor, &unused)
    }

    private func register(_ descriptor: Int32, _ events: UInt32, token: UInt64) throws(SystemError) {
        var event = epoll_event(events: events, data: epoll_data(u64: token))
        try check("epoll_ctl", epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event))
    }

    // MARK: Timers

    /// Calls `action` on the loop at `deadline`, or in the first turn after it.
    @discardableResult
    public func schedule(at deadline: Instant, _ action: @escaping () -> Void) -> Timer {
        assertCurrent()
        let timer = Timer(deadline: deadline, action: action)
        timers.insert(timer)
        return timer
    }

    private func fireDueTimers() {
        while let next = timers.min, next.isCancelled || next.deadline <= now { timers.removeMin().fire() }
    }

    // MARK: Turning

    /// Calls `action` once, when the jobs of the present turn have run: for what is better done for all of them together.
    public func atEndOfTurn(_ action: @escaping () -> Void) {
        assertCurrent()
        lastActions.append(action)
    }

    /// Calls `action` when everything that is ready has had its turn, one such action after the other: for work of more than
    /// some hundred microseconds, which would keep others waiting.
    public func postpone(_ action: @escaping () -> Void) {
        assertCurrent()
        postponed.append(action)
    }

    /// Whether the present turn has used up its time: what could go on should yield.
    public var turnIsOver: Bool { Instant.now >= turnEnd }

    private func turn() {
        if undelivered.isEmpty {
            undelivered = 0..<Int(max(0, epoll_wait(poller, events, Int32(Loop.batch), waitingTime())))
        }
        now = .now
        turnEnd = now.advanced(by: Loop.budget)
        deliverEvents()
        fireDueTimers()
        runJobs()
        runPostponed()
        runLastActions()
    }

    /// How long epoll may wait, in milliseconds rounded up: until the next timer, or for ever (-1) when there is none.
    private func waitingTime() -> Int32 {
        guard jobs.isEmpty, postponed.isEmpty else { return 0 }
        while let next = timers.min, next.isCancelled { timers.removeMin() }
        guard let next = timers.min else { return -1 }
        let wait = max(0, next.deadline.duration(since: .now).nanoseconds)
        return Int32(min(wait / 1_000_000 + 1, 60_000))
    }

    private func deliverEvents() {
        while let index = undelivered.popFirst() {
            deliver(events[index])
            if undelivered.count % Loop.jobsALook == Loop.jobsALook - 1, turnIsOver { return }
        }
    }

    private func deliver(_ event: epoll_event) {
        let token = event.data.u64
        guard token != Loop.wakeupToken else { return takeInbox() }
        // A watch that an earlier event of this batch cancelled, or replaced, is not the one meant.
        guard let watch = watches[Int(token & 0xffff_ffff)], watch.token == token else { return }
        watch.handler(Readiness(rawValue: event.events))
    }

    private func takeInbox() {
        var count: UInt64 = 0
        read(wakeup, &count, MemoryLayout.size(ofValue: count))
        jobs.append(
            contentsOf: inbox.withLock { inbox in
                _ = inboxOrder.load(ordering: .acquiring)
                return exchange(&inbox, with: [])
            })
    }

    /// Runs what is queued, and what that queues in turn, until the turn is over.
    private func runJobs() {
        var ran = 0
        while let job = jobs.popFirst() {
            job.runSynchronously(on: asUnownedTaskExecutor())
            ran += 1
            if ran % Loop.jobsALook == 0, turnIsOver { return }
        }
    }

    /// Does one thing at least that was postponed, and more while there is time, each with the jobs that it brings.
    private func runPostponed() {
        while let action = postponed.popFirst() {
            action()
            runJobs()
            if turnIsOver { return }
        }
    }

    private func runLastActions() {
        guard !lastActions.isEmpty else { return }
        for action in exchange(&lastActions, with: []) { action() }
    }

    private func wake() {
        var one: UInt64 = 1
        write(wakeup, &one, MemoryLayout.size(ofValue: one))
    }
}

extension Loop: TaskExecutor {
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent { return jobs.append(job) }
        inbox.withLock { inbox in
            _ = inboxOrder.load(ordering: .acquiring)
            inbox.append(job)
            inboxOrder.store(true, ordering: .releasing)
        }
        wake()
    }
}
