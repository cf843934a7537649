import Glibc

extension Master {
    /// A reload that has ended, successfully or not, or a re-execution that has failed.
    public struct Reload: Sendable {
        /// The sequence number of this reload: 1 for the first one since the service started. Failed
        /// re-executions count too.
        public let number: Int
        /// The reason why the reload failed and the old workers kept running; `nil` when all workers were replaced.
        public let problem: String?
        /// When the reload ended, in seconds since 1970.
        public let time: Int
    }

    /// Counts of events since the service started. They are retained when the master re-executes itself.
    public struct Events: Sendable {
        /// When the service started, in seconds since 1970.
        public var started = Int(time(nil))
        /// The number of reloads that replaced all workers.
        public var reloads = 0
        /// The number of reloads and re-executions that failed.
        public var failedReloads = 0
        /// The number of workers started because a worker had ended or the target number of workers had grown.
        public var respawns = 0
        /// The number of ready workers that crashed or terminated unexpectedly.
        public var crashes = 0
        /// The number of workers whose event loop was stuck.
        public var stuck = 0
        /// The number of workers that were recycled because of `--max-requests` or `--max-rss`.
        public var recycled = 0
        /// The highest number of workers that an inspection found handling requests.
        public var peakActiveWorkers = 0
        /// The highest length of the accept queue that an inspection found.
        public var peakQueueLength = 0
        /// The last reloads, at most 16. They are not retained when the master re-executes itself.
        public private(set) var recentReloads: [Reload] = []

        init() {}

        /// Restores the counts from the `numbers` of the previous program; `nil` when that program had a different
        /// number of counts.
        init?(numbers: [Int]) {
            guard numbers.count == 9 else { return nil }
            (started, reloads, failedReloads, respawns) = (numbers[0], numbers[1], numbers[2], numbers[3])
            (crashes, stuck, recycled, peakActiveWorkers, peakQueueLength) = (
                numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]
            )
        }

        /// Records the end of a reload.
        /// - Parameter problem: The reason why the reload failed; `nil` when it succeeded.
        mutating func reloadEnded(_ problem: String?) {
            if problem == nil { reloads += 1 } else { failedReloads += 1 }
            recentReloads.append(Reload(number: reloads + failedReloads, problem: problem, time: Int(time(nil))))
            if recentReloads.count > 16 { recentReloads.removeFirst() }
        }

        /// The counts in the order that `init(numbers:)` expects.
        var numbers: [Int] {
            [started, reloads, failedReloads, respawns, crashes, stuck, recycled, peakActiveWorkers, peakQueueLength]
        }
    }
}
