import EventLoop

/// Which replicas may answer a read: a state machine without IO. The polls of the replicas and of the primary tell it what they say, and
/// reads tell it whether they failed.
struct ReplicaSet {
    /// What is known of a server.
    enum State: Equatable {
        /// It has not been asked yet.
        case unknown
        /// It did not answer the last poll.
        case unavailable
        /// It is not in recovery: whether it is the primary or one that was cut off, it is no replica.
        case notStandby
        /// Its data are another cluster's than the primary's.
        case foreign
        /// It lags more than is allowed.
        case lagging
        /// It has replayed what the primary has not: the log of a former primary.
        case ahead
        /// It has replayed up to a position.
        case following(WALPosition)
    }

    /// What a server says when it is polled.
    struct Answer: Equatable {
        /// The identifier of its cluster, which a primary and its standbys share.
        let system: Int64
        let isStandby: Bool
        /// What it has written, or replayed.
        let position: WALPosition
    }

    private struct Replica {
        var state = State.unknown
        /// What it has replayed, as it said last.
        var replayed: WALPosition?
        /// Until the primary's log has got there: what it had replayed when the primary was found behind that.
        var ahead: UInt64?
        /// Reads that have failed in a row, and when the last one did.
        var failures = 0
        var failed: Instant?

        /// Until when others are preferred: a second after the first failure, twice as long after each further one, 30 s at most.
        var pausesUntil: Instant? {
            failed.map { $0.advanced(by: .seconds(min(30, 1 << min(failures - 1, 5)))) }
        }
    }

    private var replicas: [Replica]
    private let maximumLag: Duration
    /// Where the primary was and when, oldest first.
    private var samples: [(time: Instant, position: WALPosition)] = []
    private var system: Int64?
    /// The replica that is asked next.
    private var next = 0

    /// - Parameter maximumLag: how long ago the primary may have been where a replica is now.
    init(count: Int, maximumLag: Duration) {
        replicas = Array(repeating: Replica(), count: count)
        self.maximumLag = maximumLag
    }

    /// What is known of each.
    var states: [State] { replicas.map(\.state) }

    // MARK: Polls

    /// What each replica has replayed, as it said last: to be asked for before the primary is.
    var replayed: [WALPosition?] { replicas.map(\.replayed) }

    /// Notes where the primary is.
    /// - Parameter replayed: what the replicas had replayed before the primary was asked: a standby of its own cannot have had more.
    mutating func primaryAnswered(_ answer: Answer, after replayed: [WALPosition?] = [], at now: Instant) {
        system = answer.system
        for (index, position) in replayed.enumerated() {
            guard let position else { continue }
            replicas[index].ahead = position.lsn > answer.position.lsn ? position.lsn : nil
            if replicas[index].ahead != nil, case .following = replicas[index].state { replicas[index].state = .ahead }
        }
        // Another primary: where the former one was says nothing about it.
        if let last = samples.last,
            !answer.position.includes(last.position) || answer.position.timeline != last.position.timeline
        {
            samples = []
        }
        samples.append((now, answer.position))
        let limit = now.advanced(by: .zero - maximumLag)
        if let index = samples.lastIndex(where: { $0.time <= limit }) { samples.removeFirst(index) }
    }

    /// Notes where a replica is.
    mutating func answered(_ index: Int, _ answer: Answer) {
        replicas[index].replayed = answer.isStandby ? answer.position : nil
        replicas[index].state =
            if system ?? answer.system != answer.system {
                .foreign
            } else if !answer.isStandby {
                .notStandby
            } else if replicas[index].ahead.map({ $0 <= answer.position.lsn }) ?? false {
                .ahead
            } else {
                isLagging(answer.position) ? .lagging : .following(answer.position)
            }
    }

    /// Notes that a replica did not answer a poll.
    mutating func isUnavailable(_ index: Int) {
        (replicas[index].state, replicas[index].replayed) = (.unavailable, nil)
    }

    /// Whether a replica has not got to where the primary was before the time that it may lag, as of when the primary last answered:
    /// while there is none, nobody lags more and more. By LSN alone, since a standby may not know the timeline.
    private func isLagging(_ replayed: WALPosition) -> Bool {
        guard let last = samples.last else { return false }
        let limit = last.time.advanced(by: .zero - maximumLag)
        // As long as none is that old, the first will do: whoever follows gets past it within moments.
        let sample = samples.last { $0.time <= limit } ?? samples[0]
        return replayed.lsn < sample.position.lsn
    }

    // MARK: Reads

    /// Chooses the replica for a read, in turn.
    /// - Parameters:
    ///   - required: what it must have replayed.
    ///   - preferred: the one that has answered an earlier read of the same request.
    ///   - failed: one that is not chosen.
    ///   - ignoresPauses: whether one will do whose reads have failed: when there is no other server.
    /// - Returns: `nil` when none will do.
    mutating func choose(
        after required: WALPosition?, preferring preferred: Int? = nil, except failed: Int? = nil,
        ignoringPauses ignoresPauses: Bool = false, at now: Instant
    ) -> Int? {
        let moment = ignoresPauses ? nil : now
        if let preferred, preferred != failed, isUsable(preferred, required, moment) { return preferred }
        for offset in replicas.indices {
            let index = (next + offset) % replicas.count
            guard index != failed, isUsable(index, required, moment) else { continue }
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

    /// Notes that a read has failed because the server could not be asked.
    mutating func readFailed(_ index: Int, at now: Instant) {
        // Reads that were under way together fail together, and count once.
        guard !isPaused(index, at: now) else { return }
        replicas[index].failures += 1
        replicas[index].failed = now
    }

    /// Notes that a read has succeeded. One that began before the last failure says nothing.
    mutating func readSucceeded(_ index: Int, since start: Instant) {
        guard let failed = replicas[index].failed, start > failed else { return }
        (replicas[index].failures, replicas[index].failed) = (0, nil)
    }

    /// Whether others are preferred to a replica because reads have failed.
    func isPaused(_ index: Int, at now: Instant) -> Bool { replicas[index].pausesUntil.map { $0 > now } ?? false }
}
