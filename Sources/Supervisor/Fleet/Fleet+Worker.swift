import EventLoop

extension Fleet {
    /// A worker, from the decision to start it until its process has been reaped.
    struct Worker: Identifiable, Sendable {
        typealias ID = Int

        enum State: Hashable, Sendable {
            /// The process is being created.
            case spawning
            case starting
            case ready
            /// The worker was asked to drain. `wasReady` tells whether the worker became ready, be it before or after
            /// the request to drain.
            case draining(wasReady: Bool)
            /// The worker has reported that it is crashing, and is writing a backtrace.
            case crashed
            /// The worker's event loop was stuck, and SIGABRT was sent to make it write a backtrace and terminate.
            case aborted
            case killed
        }

        let id: ID
        let generation: Int
        let started: Instant
        var state = State.spawning
        /// When the startup timeout of a starting worker ends.
        var startupDeadline = Instant.distantFuture

        /// Whether the worker counts towards the target number of workers.
        var isRunning: Bool { isStarting || state == .ready }
        var isStarting: Bool { state == .spawning || state == .starting }

        /// Whether the worker serves requests.
        var isServing: Bool { state == .ready || state == .draining(wasReady: true) }

        /// Whether a replacement in progress must wait until this worker has terminated.
        var isDraining: Bool { state == .draining(wasReady: true) || state == .killed }
    }
}
