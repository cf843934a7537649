import EventLoop

extension Fleet {
    /// A worker process, from the decision to start it until it has been reaped.
    struct Worker: Identifiable, Sendable {
        typealias ID = Int

        enum State: Hashable, Sendable {
            /// The process is about to be made.
            case spawning
            case starting
            case ready
            /// It was told to finish what it does: once.
            case draining(wasReady: Bool)
            /// It has said that it crashes, and writes down where.
            case crashed
            /// Its loop was stuck: it was told to write down where, and end.
            case aborted
            case killed
        }

        let id: ID
        let generation: Int
        let started: Instant
        var state = State.spawning

        /// Whether it counts as one of those that there should be.
        var isRunning: Bool { isStarting || state == .ready }
        var isStarting: Bool { state == .spawning || state == .starting }

        /// Whether it answers requests.
        var isServing: Bool { state == .ready || state == .draining(wasReady: true) }

        /// Whether a step that replaces it waits for its end.
        var isDraining: Bool { state == .draining(wasReady: true) || state == .killed }
    }
}
