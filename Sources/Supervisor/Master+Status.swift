import Glibc
import Scoreboard

extension Master {
    /// What the master knows of itself and its workers at a moment.
    public struct Status: Sendable {
        /// What has happened so far.
        public let events: Events
        /// The generation that reloads count.
        public let generation: Int
        /// How many workers there should be.
        public let target: Int
        /// Whether a reload has begun and has not ended.
        public let isReloading: Bool
        /// Connections that wait to be accepted, and how many may; `nil` when the kernel does not say.
        public let queue: ListenQueue?
        /// The workers that run.
        public let workers: [WorkerStatus]
        /// The sums of workers that have ended.
        public let past: Slot
    }

    /// One worker.
    public struct WorkerStatus: Sendable {
        /// Its process id.
        public let pid: pid_t
        /// The generation that it belongs to.
        public let generation: Int
        /// Whether it is starting, serving, or finishing.
        public let state: String
        /// What it says of itself.
        public let slot: Slot
    }

    /// How things stand now.
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
