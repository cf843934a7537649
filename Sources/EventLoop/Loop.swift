import CLinux
import DequeModule
import Glibc
import HeapModule
import Synchronization

/// A single-threaded event loop: it waits in epoll, fires timers and runs Swift tasks. It provides all of a worker's
/// concurrency.
///
/// A loop iteration (a "turn" in names) delivers ready events, fires expired timers, runs jobs until none is left, then
/// runs postponed actions, and finally the end-of-turn actions. An iteration has a time budget: work that is not done
/// within it is left to the next iteration, which first delivers the remaining events or polls for new ones. Everything
/// that belongs to a loop (watches, timers and the connections built on them) is used on the loop's thread only and
/// therefore needs no lock. `Task(executorPreference: loop) { … }` starts a task on the loop from any thread.
///
/// The conformance to `@unchecked Sendable` is sound: other threads may call only `enqueue` and `stop`, which use the
/// locked inbox and atomic properties; all other members are used on the loop's own thread.
public final class Loop: @unchecked Sendable {
    private let poller: Int32
    private let wakeup: Int32
    private let inbox = Mutex<[UnownedJob]>([])
    /// A release/acquire pair around the inbox for the thread sanitizer, which cannot see into `Synchronization.Mutex`.
    private let inboxFence = Atomic(false)
    private let stopping = Atomic(false)

    private static let wakeupToken = UInt64.max
    private static let batchSize = 128
    /// The time budget of a loop iteration. Remaining work is left to the next iteration.
    private static let turnBudget = Duration.milliseconds(5)
    /// How many jobs or events are handled between two reads of the clock.
    private static let jobsPerClockRead = 8
    private let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: batchSize)

    /// The thread that runs the loop; 0 when none does.
    private let thread = Atomic<pthread_t>(0)
    /// The number of `offload` calls that have not returned yet.
    var offloadedCalls = 0
    private var jobs = Deque<UnownedJob>()
    private var postponed = Deque<() -> Void>()
    /// The indices of the entries in `events` that have not been delivered to their watches yet.
    private var undelivered = 0..<0
    private var timers = Heap<Timer>()
    private var endOfTurnActions: [() -> Void] = []
    private var watches: [Watch?] = []
    private var generation: UInt32 = 0

    /// The time at which the current loop iteration began. Reading this property is cheaper than reading the clock.
    public private(set) var now = Instant.now
    private var turnDeadline = Instant.now

    /// Creates a loop; it does nothing until `run` is called.
    /// - Throws: `SystemError` when the process is out of file descriptors.
    public init() throws(SystemError) {
        // Once all properties have values, `deinit` releases what was created when this initializer throws.
        poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        try check("epoll_create1", poller)
        try check("eventfd", wakeup)
        try register(wakeup, Readiness.readable.rawValue, token: Loop.wakeupToken)
    }

    deinit {
        events.deallocate()
        close(wakeup)
        close(poller)
    }

    /// Runs the loop on the calling thread until `stop` is called.
    public func run() {
        precondition(thread.load(ordering: .relaxed) == 0, "this loop is already running")
        thread.store(pthread_self(), ordering: .relaxed)
        let outer = Loop.current
        Loop.current = self
        defer {
            Loop.current = outer
            thread.store(0, ordering: .relaxed)
        }
        while !stopping.exchange(false, ordering: .acquiring) { turn() }
    }

    /// Makes `run` return after the current loop iteration. May be called from any thread.
    public func stop() {
        stopping.store(true, ordering: .releasing)
        wake()
    }

    /// Whether the caller is running on this loop's thread.
    public var isCurrent: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    /// Asserts, in debug builds only, that the caller is running on this loop's thread.
    public func assertCurrent() { assert(isCurrent, "called from outside the loop's thread") }

    // MARK: Watching descriptors

    /// Calls `handler` on the loop whenever `descriptor` is ready for `interest`, until the watch is cancelled.
    /// - Throws: `SystemError` when epoll rejects the descriptor (for example, that of a regular file) or the kernel is
    ///   out of memory.
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

    func modify(_ watch: Watch, to interest: Readiness) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data(u64: watch.token))
        epoll_ctl(poller, EPOLL_CTL_MOD, watch.descriptor, &event)
    }

    func remove(_ watch: Watch) {
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

    /// Calls `action` on the loop in the first iteration that begins at or after `deadline`.
    @discardableResult
    public func schedule(at deadline: Instant, _ action: @escaping () -> Void) -> Timer {
        assertCurrent()
        let timer = Timer(deadline: deadline, action: action)
        timers.insert(timer)
        return timer
    }

    private func fireExpiredTimers() {
        while let next = timers.min, next.isCancelled || next.deadline <= now { timers.removeMin().fire() }
    }

    // MARK: Loop iteration

    /// Calls `action` once, at the end of the current loop iteration. Callers use this method to batch work: for
    /// example, to send several statements in one write.
    public func atEndOfTurn(_ action: @escaping () -> Void) {
        assertCurrent()
        endOfTurnActions.append(action)
    }

    /// Calls `action` after the events, timers and jobs of this iteration or a later one. Postponed actions run in
    /// order, at least one per iteration. Use this method for work that takes more than a few hundred microseconds, so
    /// that other connections are served first.
    public func postpone(_ action: @escaping () -> Void) {
        assertCurrent()
        postponed.append(action)
    }

    /// Whether this loop iteration has used up its time budget. Long-running work should then yield.
    public var turnIsOver: Bool { Instant.now >= turnDeadline }

    private func turn() {
        if undelivered.isEmpty {
            undelivered = 0..<Int(max(0, epoll_wait(poller, events, Int32(Loop.batchSize), pollTimeout())))
        }
        now = .now
        turnDeadline = now.advanced(by: Loop.turnBudget)
        deliverEvents()
        fireExpiredTimers()
        runJobs()
        runPostponed()
        runEndOfTurnActions()
    }

    /// Returns the timeout for `epoll_wait` in milliseconds: the time until the next timer, rounded down, plus 1, at
    /// most 60,000; -1 (no timeout) when no timer is scheduled; 0 when work is queued or a timer has expired.
    private func pollTimeout() -> Int32 {
        guard jobs.isEmpty, postponed.isEmpty, endOfTurnActions.isEmpty else { return 0 }
        while let next = timers.min, next.isCancelled { timers.removeMin() }
        guard let next = timers.min else { return -1 }
        let wait = next.deadline.duration(since: .now).nanoseconds
        return wait <= 0 ? 0 : Int32(min(wait / 1_000_000 + 1, 60_000))
    }

    private func deliverEvents() {
        while let index = undelivered.popFirst() {
            deliver(events[index])
            if undelivered.count % Loop.jobsPerClockRead == Loop.jobsPerClockRead - 1, turnIsOver { return }
        }
    }

    private func deliver(_ event: epoll_event) {
        let token = event.data.u64
        guard token != Loop.wakeupToken else { return drainInbox() }
        // The token differs when an earlier event of this batch has cancelled or replaced the watch.
        guard let watch = watches[Int(token & 0xffff_ffff)], watch.token == token else { return }
        watch.handler(Readiness(rawValue: event.events))
    }

    private func drainInbox() {
        var count: UInt64 = 0
        read(wakeup, &count, MemoryLayout.size(ofValue: count))
        jobs.append(
            contentsOf: inbox.withLock { inbox in
                _ = inboxFence.load(ordering: .acquiring)
                return exchange(&inbox, with: [])
            })
    }

    /// Runs queued jobs, and the jobs that they enqueue, until none is left or the iteration's time budget is used up.
    private func runJobs() {
        var ran = 0
        while let job = jobs.popFirst() {
            job.runSynchronously(on: asUnownedTaskExecutor())
            ran += 1
            if ran % Loop.jobsPerClockRead == 0, turnIsOver { return }
        }
    }

    /// Runs at least one postponed action, and more while the time budget lasts, each followed by the jobs that it
    /// enqueues.
    private func runPostponed() {
        while let action = postponed.popFirst() {
            action()
            runJobs()
            if turnIsOver { return }
        }
    }

    private func runEndOfTurnActions() {
        guard !endOfTurnActions.isEmpty else { return }
        for action in exchange(&endOfTurnActions, with: []) { action() }
    }

    private func wake() {
        var one: UInt64 = 1
        write(wakeup, &one, MemoryLayout.size(ofValue: one))
    }
}

extension Loop: TaskExecutor {
    /// Enqueues a job of a Swift task to run on this loop. May be called from any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent { return jobs.append(job) }
        inbox.withLock { inbox in
            _ = inboxFence.load(ordering: .acquiring)
            inbox.append(job)
            inboxFence.store(true, ordering: .releasing)
        }
        wake()
    }
}
