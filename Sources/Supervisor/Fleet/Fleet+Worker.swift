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
            /// It was asked to finish its requests. That is done only once.
            case draining(wasReady: Bool)
            /// It has reported that it is crashing, and is writing a backtrace.
            case crashed
            /// Its loop was stuck: it was sent SIGABRT, to write a backtrace and terminate.
            case aborted
            case killed
        }

        let id: ID
        let generation: Int
        let started: Instant
        var state = State.spawning

        /// Whether it counts towards the target number of workers.
        var isRunning: Bool { isStarting || state == .ready }
        var isStarting: Bool { state == .spawning || state == .starting }

        /// Whether it serves requests.
        var isServing: Bool { state == .ready || state == .draining(wasReady: true) }

        /// Whether the next step of a replacement has to wait for its end.
        var isDraining: Bool { state == .draining(wasReady: true) || state == .killed }
    }
}
