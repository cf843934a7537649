import Scoreboard

extension Master {
    /// How many workers there may be: half of what the scoreboard has room for, so that a reload can replace any of them.
    public static let maxWorkers = SharedScoreboard.capacity / 2

    /// What the check of a new program prints when it passes: an exit code of 0 alone might be any program's.
    public static let checkPassed = "The configuration is fine."

    /// How workers are started and stopped.
    public struct Options: Sendable {
        /// How many workers there are.
        public var workers: Int
        /// How long a worker may take until it is ready.
        public var startupTimeout = Duration.seconds(10)
        /// How long a worker may take to finish what it does.
        public var gracefulTimeout = Duration.seconds(35)
        /// After how many requests a worker is replaced, up to a tenth more; `nil` for never.
        public var maxRequests: Int?
        /// With how much resident memory a worker is replaced, in bytes; `nil` for never.
        public var maxMemory: Int?
        /// How long a request takes before it is logged as slow.
        public var slowRequest = Duration.seconds(1)
        /// How long a worker's loop may not turn before the worker is replaced.
        public var stuckAfter = Duration.seconds(25)
        /// The program and its arguments.
        public var command: [String]
        /// The variables of the workers, read anew for each generation.
        public var environment: @Sendable () throws -> [String: String]
        /// The command that must succeed before the master re-executes itself, and its variables.
        public var check: (command: [String], environment: [String: String])

        /// Makes options with the usual times: 10 s to start, 35 s to finish.
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
