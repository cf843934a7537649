import Glibc

extension Master {
    /// A reload that has ended.
    public struct Reload: Sendable {
        /// Which one of all since the service started, from 1 on.
        public let number: Int
        /// Why it failed, and the old workers went on; `nil` when all workers were replaced.
        public let problem: String?
        /// When it ended, in seconds since 1970.
        public let time: Int
    }

    /// Counts of what has happened since the service started: a master that re-executes itself goes on counting.
    public struct Events: Sendable {
        /// When the service started, in seconds since 1970.
        public var started = Int(time(nil))
        /// Reloads that replaced all workers, and reloads that did not.
        public var reloads = 0
        public var failedReloads = 0
        /// Workers that were started in place of ones that had ended.
        public var respawns = 0
        /// Workers that ended without having been told to.
        public var crashes = 0
        /// Workers whose loop did not turn any more.
        public var stuck = 0
        /// Workers that were replaced because of `--max-requests` or `--max-rss`.
        public var recycled = 0
        /// The most workers that were seen to answer requests at the same time.
        public var mostActive = 0
        /// The most connections that were seen to wait for being accepted.
        public var mostQueued = 0
        /// The reloads that have ended last, at most 16: a master that re-executes itself forgets them.
        public private(set) var recentReloads: [Reload] = []

        init() {}

        init?(numbers: [Int]) {
            guard numbers.count == 9 else { return nil }
            (started, reloads, failedReloads, respawns) = (numbers[0], numbers[1], numbers[2], numbers[3])
            (crashes, stuck, recycled, mostActive, mostQueued) = (
                numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]
            )
        }

        /// Notes the end of a reload.
        /// - Parameter problem: why it failed, if it did.
        mutating func reloadEnded(_ problem: String?) {
            if problem == nil { reloads += 1 } else { failedReloads += 1 }
            recentReloads.append(Reload(number: reloads + failedReloads, problem: problem, time: Int(time(nil))))
            if recentReloads.count > 16 { recentReloads.removeFirst() }
        }

        var numbers: [Int] {
            [started, reloads, failedReloads, respawns, crashes, stuck, recycled, mostActive, mostQueued]
        }
    }
}
