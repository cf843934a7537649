import EventLoop

extension Fleet {
    /// What happens to a master.
    enum Event: Hashable, Sendable {
        /// It begins.
        case started
        case signal(Signal)
        case spawned(Worker.ID)
        case spawnFailed(Worker.ID, reason: String)
        case ready(Worker.ID)
        /// A worker says that it crashes; it may take seconds to end.
        case crashed(Worker.ID)
        /// A worker's process was reaped; `isClean`: its exit code was 0, as that of one that has drained.
        case exited(Worker.ID, isClean: Bool)
        /// A worker's loop does not turn.
        case stuck(Worker.ID)
        /// A worker has answered enough requests, or has grown too large.
        case worn(Worker.ID)
        /// The check of the program has ended; `nil`: well.
        case checked(problem: String?)
        case executeFailed(reason: String)
        case timer(Timer)
    }

    /// What a signal to the master means.
    enum Signal: Hashable, Sendable {
        case stop
        /// Stops, and kills the workers when it stops already.
        case interrupt
        case reload, execute
        case oneMore, oneLess, none
    }

    /// What a timer is for. It is never cancelled: one that comes too late finds another state, and does nothing.
    enum Timer: Hashable, Sendable {
        /// A worker should be ready.
        case startup(Worker.ID)
        /// A worker should have ended.
        case kill(Worker.ID)
        /// Missing workers may be started.
        case start
        /// The check with this number should have ended.
        case check(Int)
    }

    /// What is to be done.
    enum Action: Equatable, Sendable {
        case spawn(Worker.ID, generation: Int)
        case drain(Worker.ID), abort(Worker.ID), kill(Worker.ID)
        case schedule(Timer, at: Instant)
        case check, endCheck
        /// Replaces this process by its program.
        case execute
        case tell(ServiceManager.Message)
        /// Lets go of the listening socket: from now on, new connections are refused.
        case stopListening
        case report(Notice)
        case finish(Outcome)
    }

    /// What is logged and counted.
    enum Notice: Hashable, Sendable {
        case ready(Worker.ID)
        case respawning
        case crashed(Worker.ID)
        case stuck(Worker.ID)
        case notReadyInTime(Worker.ID), notDrainedInTime(Worker.ID)
        case recycling(Worker.ID), recycled, recyclingFailed
        /// A worker has ended that was told to.
        case ended(Worker.ID)
        /// A worker has ended that was not told to.
        case died(Worker.ID, whileServing: Bool)
        case spawnFailed(reason: String)
        case reloaded, reloadFailed(String)
        case executing
        case resized(Int)
        case stopping
    }
}
