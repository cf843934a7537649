import EventLoop

/// Which replicas may answer a read: a state machine without IO. The poll of each replica and of the primary tells it what they say.
struct ReplicaSet {
    /// What is known of a server.
    enum State: Equatable {
        /// It did not answer the last poll, or was not polled yet.
        case unavailable
        /// It is not in recovery: whether it is the primary or one that was cut off, it is no replica.
        case notStandby
        /// It lags more than is allowed.
        case lagging
        /// It has replayed up to a position.
        case following(WALPosition)
    }

    private(set) var states: [State]
    private let maximumLag: Duration
    /// Where the primary was and when, oldest first.
    private var samples: [(time: Instant, position: WALPosition)] = []
    /// The replica that is asked next.
    private var next = 0

    /// - Parameter maximumLag: how long ago the primary may have been where a replica is now.
    init(count: Int, maximumLag: Duration) {
        states = Array(repeating: .unavailable, count: count)
        self.maximumLag = maximumLag
    }

    /// Notes where the primary is.
    mutating func primaryIs(at position: WALPosition, at now: Instant) {
        samples.append((now, position))
        let limit = now.advanced(by: .zero - maximumLag)
        if let index = samples.lastIndex(where: { $0.time <= limit }) { samples.removeFirst(index) }
    }

    /// Notes what a replica has replayed; `nil` when it is not in recovery.
    mutating func answered(_ index: Int, replayed: WALPosition?, at now: Instant) {
        guard let replayed else { return states[index] = .notStandby }
        states[index] = isLagging(replayed, at: now) ? .lagging : .following(replayed)
    }

    /// Notes that a replica does not answer.
    mutating func failed(_ index: Int) { states[index] = .unavailable }

    /// Chooses the replica for a read, in turn.
    /// - Parameters:
    ///   - required: what it must have replayed.
    ///   - failed: one that is not chosen.
    /// - Returns: `nil` when none will do.
    mutating func choose(after required: WALPosition?, except failed: Int? = nil) -> Int? {
        for offset in states.indices {
            let index = (next + offset) % states.count
            guard index != failed, case .following(let replayed) = states[index],
                required.map(replayed.includes) ?? true
            else { continue }
            next = (index + 1) % states.count
            return index
        }
        return nil
    }

    /// Whether a replica has not got to where the primary was before the time that it may lag. By LSN alone: of a timeline, a standby
    /// tells only after its next restartpoint.
    private func isLagging(_ replayed: WALPosition, at now: Instant) -> Bool {
        let limit = now.advanced(by: .zero - maximumLag)
        guard let sample = samples.last(where: { $0.time <= limit }) else { return false }
        return replayed.lsn < sample.position.lsn
    }
}
