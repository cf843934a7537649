import EventLoop

/// The state machine that decides which replicas may serve reads, without I/O. Its input is the results of polling the
/// replicas and the primary, and the outcomes of reads.
struct ReplicaSet {
    /// The state of a replica.
    enum State: Equatable {
        /// The server has not been polled yet.
        case unknown
        /// The server did not respond to the last poll.
        case unavailable
        /// The server is not a replica, because it is not in recovery: it is the primary, or a former primary that was
        /// cut off from the cluster.
        case notStandby
        /// The server belongs to another cluster than the primary.
        case foreign
        /// The replication lag exceeds the maximum.
        case lagging
        /// The server has replayed WAL of a former primary, and the current primary does not have that WAL.
        case ahead
        /// The server may serve reads, and has replayed the WAL up to the given position.
        case following(WALPosition)
    }

    /// The result of polling a server.
    struct Status: Equatable {
        /// The system identifier, which a primary and its standbys share.
        let system: Int64
        /// Whether the server is in recovery.
        let isStandby: Bool
        /// The position up to which the server has written WAL or, if the server is a standby, replayed WAL.
        let position: WALPosition
    }

    private struct Replica {
        var state = State.unknown
        /// The replay position at the last poll; `nil` if the server is unavailable or not a standby.
        var replayed: WALPosition?
        /// The replay LSN at which the replica was found ahead of the primary; `nil` if it is not ahead. The replica
        /// serves no reads until the primary has reached this LSN.
        var ahead: UInt64?
        /// The number of consecutive failed reads. A failure during the backoff is not counted.
        var failures = 0
        /// The time of the last counted failure; `nil` if a read has succeeded since, or no read has failed.
        var failed: Instant?

        /// The end of the backoff, during which other servers are preferred; `nil` if `failed` is `nil`. The backoff
        /// lasts one second after the first failure, and twice as long after each further failure, up to 30 s.
        var pausesUntil: Instant? {
            failed.map { $0.advanced(by: .seconds(min(30, 1 << min(failures - 1, 5)))) }
        }
    }

    private var replicas: [Replica]
    private let maximumLag: Duration
    /// The primary's positions at recent polls, oldest first.
    private var samples: [(time: Instant, position: WALPosition)] = []
    private var system: Int64?
    /// The index of the replica to be chosen next, in round-robin order.
    private var next = 0

    /// Creates the state of replicas that have not been polled yet.
    /// - Parameters:
    ///   - count: The number of replicas.
    ///   - maximumLag: The maximum replication lag at which a replica serves reads.
    init(count: Int, maximumLag: Duration) {
        replicas = Array(repeating: Replica(), count: count)
        self.maximumLag = maximumLag
    }

    /// The state of each replica.
    var states: [State] { replicas.map(\.state) }

    // MARK: Polls

    /// The replay position of each replica at its last poll. Read this property before polling the primary, and pass
    /// the value to `updatePrimary`.
    var replayed: [WALPosition?] { replicas.map(\.replayed) }

    /// Records the result of polling the primary.
    /// - Parameters:
    ///   - status: The primary's status.
    ///   - replayed: The replicas' replay positions before the primary was polled. A replica whose LSN is greater than
    ///     the primary's is ahead of the primary, and serves no reads.
    ///   - now: The current time.
    mutating func updatePrimary(_ status: Status, after replayed: [WALPosition?] = [], at now: Instant) {
        system = status.system
        for (index, position) in replayed.enumerated() {
            guard let position else { continue }
            replicas[index].ahead = position.lsn > status.position.lsn ? position.lsn : nil
            if replicas[index].ahead != nil, case .following = replicas[index].state { replicas[index].state = .ahead }
        }
        // There is another primary: the positions of the former one are not comparable.
        if let last = samples.last,
            !status.position.includes(last.position) || status.position.timeline != last.position.timeline
        {
            samples = []
        }
        samples.append((now, status.position))
        let limit = now.advanced(by: .zero - maximumLag)
        if let index = samples.lastIndex(where: { $0.time <= limit }) { samples.removeFirst(index) }
    }

    /// Records the result of polling a replica.
    mutating func updateReplica(_ index: Int, _ status: Status) {
        replicas[index].replayed = status.isStandby ? status.position : nil
        replicas[index].state =
            if system ?? status.system != status.system {
                .foreign
            } else if !status.isStandby {
                .notStandby
            } else if replicas[index].ahead.map({ $0 <= status.position.lsn }) ?? false {
                .ahead
            } else {
                isLagging(status.position) ? .lagging : .following(status.position)
            }
    }

    /// Records that a replica did not respond to a poll.
    mutating func markUnavailable(_ index: Int) {
        (replicas[index].state, replicas[index].replayed) = (.unavailable, nil)
    }

    /// Whether a replica's lag exceeds `maximumLag`: its LSN is less than the primary's LSN of `maximumLag` ago. Time
    /// is counted back from the primary's last poll, so that the lag does not grow while no primary responds. Only LSNs
    /// are compared, because a standby may not know its timeline.
    private func isLagging(_ replayed: WALPosition) -> Bool {
        guard let last = samples.last else { return false }
        let limit = last.time.advanced(by: .zero - maximumLag)
        // Before there is a sample of that age, the first one is used: a replica that streams reaches it within
        // moments.
        let sample = samples.last { $0.time <= limit } ?? samples[0]
        return replayed.lsn < sample.position.lsn
    }

    // MARK: Reads

    /// Chooses a replica for a read, in round-robin order.
    /// - Parameters:
    ///   - required: The position that the replica must have replayed.
    ///   - preferred: The replica that served an earlier read of the same request.
    ///   - failed: A replica that must not be chosen, because the read has failed on it.
    ///   - ignoresPauses: Whether a replica that is in backoff after failed reads may be chosen, because there is no
    ///     other server.
    ///   - now: The current time.
    /// - Returns: The index of the replica; `nil` if no replica is suitable.
    mutating func choose(
        after required: WALPosition?, preferring preferred: Int? = nil, except failed: Int? = nil,
        ignoringPauses ignoresPauses: Bool = false, at now: Instant
    ) -> Int? {
        let pauseTime = ignoresPauses ? nil : now
        if let preferred, preferred != failed, isUsable(preferred, required, pauseTime) { return preferred }
        for offset in replicas.indices {
            let index = (next + offset) % replicas.count
            guard index != failed, isUsable(index, required, pauseTime) else { continue }
            next = (index + 1) % replicas.count
            return index
        }
        return nil
    }

    private func isUsable(_ index: Int, _ required: WALPosition?, _ now: Instant?) -> Bool {
        guard case .following(let replayed) = replicas[index].state, required.map(replayed.includes) ?? true else {
            return false
        }
        return now.map { !isPaused(index, at: $0) } ?? true
    }

    /// Records that a read from a replica failed because the server could not be reached.
    mutating func readFailed(_ index: Int, at now: Instant) {
        // Reads that were in flight together fail together, and count once.
        guard !isPaused(index, at: now) else { return }
        replicas[index].failures += 1
        replicas[index].failed = now
    }

    /// Records that a read from a replica succeeded. A read that began before the last failure is ignored.
    mutating func readSucceeded(_ index: Int, since start: Instant) {
        guard let failed = replicas[index].failed, start > failed else { return }
        (replicas[index].failures, replicas[index].failed) = (0, nil)
    }

    /// Whether a replica is in backoff after failed reads, so that other servers are preferred.
    func isPaused(_ index: Int, at now: Instant) -> Bool { replicas[index].pausesUntil.map { $0 > now } ?? false }
}
