import EventLoop

/// What a master decides, as a state machine without IO: events go in, actions come out.
///
/// An event changes a state; `settle` then compares the workers that there are with those that there should be, and does the
/// next step. What a step waits for is thus never a particular order of events.
struct Fleet: Sendable {
    /// What the service is doing.
    enum State: Hashable, Sendable {
        /// No worker has been ready yet: the only time when it gives up.
        case starting
        case serving
        /// A worker of a new generation is started for each of the old ones, which drain one by one.
        case reloading(old: Set<Worker.ID>)
        /// One worn worker is replaced.
        case recycling(old: Worker.ID)
        /// The program checks the configuration before it replaces this one.
        case checking
        /// The check has succeeded: workers that are starting cannot be handed over, so they get ready or fail first.
        case waitingToExecute
        case executing
        /// Workers drain; `immediately`: they are killed.
        case stopping(Outcome, immediately: Bool)
        case finished
    }

    /// How it ended.
    enum Outcome: Hashable, Sendable {
        case stopped
        /// No worker could be started at all.
        case gaveUp
    }

    /// What waits until the present reload or check is done.
    enum Request: Hashable, Sendable { case reload, execute }

    struct Options: Sendable {
        /// How many workers there are at first, and again after a reload that follows WINCH.
        var workers: Int
        var startupTimeout = Duration.seconds(10)
        /// How long a worker may drain, or write down where it crashed.
        var gracefulTimeout = Duration.seconds(35)
        /// How long a stuck worker may take to write down where it is.
        var abortTimeout = Duration.seconds(10)
        var checkTimeout = Duration.seconds(30)
        /// How long no worker is recycled after one that could not be.
        var recyclingPause = Duration.seconds(10)
    }

    let options: Options
    var state: State
    var workers: [Worker]
    var target: Int
    var generation: Int
    var requests: Set<Request> = []
    /// How many checks have begun.
    var checks = 0
    var backoff = StartBackoff()
    var recyclesFrom: Instant?
    var nextID: Worker.ID
    /// When a timer will have missing workers started.
    var wakesAt: Instant?
    var now: Instant
    var actions: [Action] = []

    /// Makes one that has no workers yet.
    init(_ options: Options, at now: Instant) {
        self.options = options
        (state, workers, target, generation, nextID) = (.starting, [], options.workers, 1, 0)
        self.now = now
    }

    /// Makes one that goes on with the workers of a master that has re-executed itself, and replaces them.
    init(_ options: Options, adopting workers: [Worker], target: Int, generation: Int, at now: Instant) {
        self.options = options
        (state, self.workers, self.target, self.generation) = (.serving, workers, target, generation)
        nextID = workers.count
        self.now = now
        requests = [.reload]
    }

    /// Takes note of what has happened.
    /// - Returns: what is to be done about it, in this order.
    mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        guard state != .finished else { return [] }
        self.now = now
        apply(event)
        settle()
        defer { actions = [] }
        return actions
    }

    /// The workers that were not told to end.
    var running: [Worker] { workers.filter(\.isRunning) }

    /// Whether what was asked for by `requests` is being done, by this master or the one that it becomes.
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
