import EventLoop

/// The decisions of a master, as a state machine without I/O: events go in, actions come out.
///
/// An event changes the state; `reconcile` then compares the existing workers with the desired ones and takes the next
/// step. Thus no step depends on a particular order of events.
struct Fleet: Sendable {
    /// The state of the service.
    enum State: Hashable, Sendable {
        /// No worker has been ready yet. Startup can fail only in this state.
        case starting
        case serving
        /// A reload is in progress: a worker of the new generation is started for each old one; the old ones drain one
        /// by one.
        case reloading(old: Set<Worker.ID>)
        /// One worker that has reached its limit of requests or memory is being replaced.
        case recycling(old: Worker.ID)
        /// The new program is checking the configuration before it replaces the running program.
        case checking
        /// The check has passed. Re-execution waits until every starting worker is ready or has failed, because the
        /// new program cannot take over a starting worker.
        case waitingToExecute
        case executing
        /// The workers drain or, when `immediately` is set, are killed.
        case stopping(Outcome, immediately: Bool)
        case finished
    }

    /// How the service ended.
    enum Outcome: Hashable, Sendable {
        case stopped
        /// No worker could be started.
        case startupFailed
    }

    /// A request for a reload or a re-execution. The request is deferred during startup, and while another reload or
    /// re-execution is in progress.
    enum Request: Hashable, Sendable { case reload, execute }

    struct Options: Sendable {
        /// The number of workers to start with. A reload restores this number after SIGWINCH has set the target to
        /// zero.
        var workers: Int
        var startupTimeout = Duration.seconds(10)
        /// How long a worker may take to drain, or to write a backtrace after a crash.
        var gracefulTimeout = Duration.seconds(35)
        /// How long a stuck worker may take to write its backtrace.
        var abortTimeout = Duration.seconds(10)
        var checkTimeout = Duration.seconds(30)
        /// The pause between a failed recycling and the next attempt.
        var recyclingPause = Duration.seconds(10)
    }

    let options: Options
    var state: State
    var workers: [Worker]
    /// The desired number of workers.
    var target: Int
    /// The current generation of workers. A reload increments the number; a failed reload restores it.
    var generation: Int
    /// The requests that have been deferred.
    var pendingRequests: Set<Request> = []
    /// The number that identifies the latest check of the new program.
    var checkNumber = 0
    var backoff = StartBackoff()
    /// The earliest time at which another worker may be recycled, after a recycling has failed.
    var nextRecyclingAt: Instant?
    var nextID: Worker.ID
    /// When the timer for starting missing workers fires, if one is scheduled.
    var startTimerAt: Instant?
    var now: Instant
    /// The actions that the current event has caused so far.
    var actions: [Action] = []

    /// Creates a fleet without workers.
    init(_ options: Options, at now: Instant) {
        self.options = options
        (state, workers, target, generation, nextID) = (.starting, [], options.workers, 1, 0)
        self.now = now
    }

    /// Creates a fleet that takes over the workers of a master that has re-executed itself. The fleet begins with a
    /// reload, which replaces these workers.
    init(_ options: Options, adopting workers: [Worker], target: Int, generation: Int, at now: Instant) {
        self.options = options
        (state, self.workers, self.target, self.generation) = (.serving, workers, target, generation)
        nextID = workers.count
        self.now = now
        pendingRequests = [.reload]
    }

    /// Handles an event.
    /// - Returns: The actions to perform, in this order.
    mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        guard state != .finished else { return [] }
        self.now = now
        apply(event)
        reconcile()
        defer { actions = [] }
        return actions
    }

    /// The workers that count towards the target: starting or ready.
    var running: [Worker] { workers.filter(\.isRunning) }

    /// Whether a reload or a re-execution is in progress.
    var isReloading: Bool {
        switch state {
        case .reloading, .checking, .waitingToExecute, .executing: true
        default: false
        }
    }

    var isStopping: Bool {
        switch state {
        case .stopping, .finished: true
        default: false
        }
    }
}
