import Glibc
import Scoreboard

extension Master {
    /// A snapshot of the master and its workers.
    public struct Status: Sendable {
        /// The counts of events so far.
        public let events: Events
        /// The current generation of workers. A reload increments the number; a failed reload restores it.
        public let generation: Int
        /// The number of workers that the master maintains.
        public let target: Int
        /// Whether a reload or a re-execution is in progress.
        public let isReloading: Bool
        /// The accept queue of the listening socket; `nil` when the kernel does not report the queue, or the service is
        /// stopping.
        public let queue: ListenQueue?
        /// The worker processes, including those that are starting or terminating.
        public let workers: [WorkerStatus]
        /// The totals of the workers that have ended.
        public let past: Slot
    }

    /// A snapshot of one worker.
    public struct WorkerStatus: Sendable {
        /// The worker's process id.
        public let pid: pid_t
        /// The worker's generation.
        public let generation: Int
        /// The worker's state as text: "Starting", "Running" or "Finishing".
        public let state: String
        /// The metrics that the worker publishes.
        public let slot: Slot
    }

    /// The current status.
    public var status: Status {
        Status(
            events: events, generation: fleet.generation, target: fleet.target, isReloading: fleet.isReloading,
            queue: fleet.isStopping ? nil : ListenQueue(of: listener), workers: fleet.workers.compactMap(status(of:)),
            past: scoreboard.past)
    }

    private func status(of worker: Fleet.Worker) -> WorkerStatus? {
        processes[worker.id].map {
            WorkerStatus(
                pid: $0.pid, generation: $0.generation,
                state: worker.isStarting ? "Starting" : worker.state == .ready ? "Running" : "Finishing",
                slot: scoreboard.slot($0.slot))
        }
    }
}
