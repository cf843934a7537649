import EventLoop

extension Fleet {
    /// An event that the fleet reacts to.
    enum Event: Hashable, Sendable {
        /// The master has started.
        case started
        case signal(Signal)
        case spawned(Worker.ID)
        case spawnFailed(Worker.ID, reason: String)
        /// A starting worker has published a heartbeat: it has work to do first that may take long.
        case preparing(Worker.ID)
        case ready(Worker.ID)
        /// A worker has reported that it is crashing. The worker may take seconds to terminate.
        case crashed(Worker.ID)
        /// A worker's process was reaped. `isClean` tells whether its exit code was 0, as after draining.
        case exited(Worker.ID, isClean: Bool)
        /// A worker's event loop is stuck.
        case stuck(Worker.ID)
        /// A worker has reached its limit of requests or memory.
        case recyclingDue(Worker.ID)
        /// The check of the new program has ended; `problem` is `nil` when the check has passed.
        case checked(problem: String?)
        case executeFailed(reason: String)
        case timer(Timer)
    }

    /// The meaning of a signal to the master.
    enum Signal: Hashable, Sendable {
        case stop
        /// Stops the service or, when the service is already stopping, kills the workers.
        case interrupt
        case reload, execute
        case addWorker, removeWorker, removeAllWorkers
    }

    /// The purpose of a timer. Timers are never cancelled: a timer that is no longer needed has no effect when it
    /// fires.
    enum Timer: Hashable, Sendable {
        /// The startup timeout of a worker.
        case startup(Worker.ID)
        /// The deadline for a worker to terminate. If the worker is still running then, it is killed.
        case kill(Worker.ID)
        /// The end of a backoff: missing workers may be started.
        case start
        /// The timeout of a check of the new program. The number identifies the check.
        case check(Int)
    }

    /// An action for the master to perform.
    enum Action: Equatable, Sendable {
        case spawn(Worker.ID, generation: Int)
        /// Makes a worker drain (SIGTERM), write a backtrace and terminate (SIGABRT), or terminate at once (SIGKILL).
        case drain(Worker.ID), abort(Worker.ID), kill(Worker.ID)
        /// Delivers the timer's event to the fleet at this time.
        case schedule(Timer, at: Instant)
        /// Forgets the environment of this generation, so that it is determined again for the next worker.
        case forgetEnvironment(generation: Int)
        /// Starts the check of the new program, or kills the check process.
        case check, endCheck
        /// Re-executes the program in this process.
        case execute
        /// Notifies the service manager.
        case notify(ServiceManager.Message)
        /// Closes the master's copy of the listening socket. New connections are refused as soon as the workers have
        /// closed their copies too.
        case stopListening
        case report(Notice)
        case finish(Outcome)
    }

    /// An occurrence to be logged and counted.
    enum Notice: Hashable, Sendable {
        case ready(Worker.ID)
        /// A worker is started because a worker has ended or the target number of workers has grown.
        case respawning
        case crashed(Worker.ID)
        case stuck(Worker.ID)
        case notReadyInTime(Worker.ID), notDrainedInTime(Worker.ID)
        case recycling(Worker.ID), recycled, recyclingFailed
        /// A worker terminated as requested, or was killed by the master.
        case ended(Worker.ID)
        /// A worker terminated unexpectedly. `whileServing` tells whether the worker's last state was `ready`, not
        /// `starting`, `crashed` or `aborted`.
        case died(Worker.ID, whileServing: Bool)
        case spawnFailed(reason: String)
        /// A reload has succeeded, or a reload or re-execution has failed. The generation is that of the workers that
        /// keep running: the new workers after a success, the old ones after a failure. The fleet's own generation is
        /// higher when the next reload has already begun.
        case reloaded(generation: Int), reloadFailed(String, generation: Int)
        case executing
        case resized(Int)
        case stopping
    }
}
