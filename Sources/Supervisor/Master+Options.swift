import Scoreboard

extension Master {
    /// The maximum number of workers: half of the scoreboard's slots. The other slots are for replacements during a
    /// reload, and for the totals of the workers that have ended.
    public static let maxWorkers = SharedScoreboard.capacity / 2

    /// The line that `--check` prints when the configuration is valid. The exit code 0 alone could come from any
    /// program.
    public static let checkPassed = "The configuration is fine."

    /// How the workers are started, inspected and stopped.
    public struct Options: Sendable {
        /// The number of workers to start with.
        public var workers: Int
        /// How long a worker may take to become ready, without the time in which it publishes heartbeats.
        public var startupTimeout = Duration.seconds(10)
        /// How long a draining worker may take before it is killed. This should be longer than the worker's own drain
        /// timeout.
        public var gracefulTimeout = Duration.seconds(35)
        /// The number of requests after which a worker is recycled; up to a tenth is added at random. `nil` for no
        /// limit.
        public var maxRequests: Int?
        /// The resident memory above which a worker is recycled, in bytes; `nil` for no limit.
        public var maxMemory: Int?
        /// The duration after which a request is logged as slow.
        public var slowRequest = Duration.seconds(1)
        /// How long a worker's event loop may be unresponsive before the worker is replaced.
        public var stuckAfter = Duration.seconds(25)
        /// The command line of a worker.
        public var command: [String]
        /// The function that returns the environment of the workers. The master calls the function when it first starts
        /// a worker of a generation, and uses the result for the generation's other workers too. A reload during
        /// startup discards the result.
        public var environment: @Sendable () throws -> [String: String]
        /// The command that must succeed before the master re-executes itself, and its environment.
        public var check: (command: [String], environment: [String: String])

        /// Creates options with the default timeouts: 10 s to start, 35 s to drain.
        public init(
            workers: Int, command: [String], environment: @escaping @Sendable () throws -> [String: String],
            check: (command: [String], environment: [String: String])
        ) {
            (self.workers, self.command, self.environment, self.check) = (workers, command, environment, check)
        }
    }
}

extension Fleet.Options {
    init(_ options: Master.Options) {
        self.init(
            workers: options.workers, startupTimeout: options.startupTimeout, gracefulTimeout: options.gracefulTimeout)
    }
}
