import EventLoop
import Logging
import SQL

/// The replicas of a database, as one loop uses them: connections to each, and a poll of what it has replayed.
///
/// A read costs no round trip but its own: which replica may answer it is known from the polls. Sound as `@unchecked Sendable`: it is
/// touched on its loop's thread only.
public final class Replicas: @unchecked Sendable {
    private let primary: Pools
    private var replicas: [Replica]
    private var set: ReplicaSet
    private let log: Logger
    private var (reads, retries) = (0, 0)

    /// Makes the replicas that a configuration names, and begins to poll them; `nil` when it names none.
    package init?(
        _ configuration: PostgresConfiguration, primary: Pools, log: Logger = Logger(label: "aktify.postgres")
    ) {
        let configurations = configuration.replicas
        guard let loop = Loop.current, !configurations.isEmpty else { return nil }
        (self.primary, self.log) = (primary, log)
        replicas = configurations.map { Replica($0, log) }
        set = ReplicaSet(count: configurations.count, maximumLag: configuration.maximumLag)
        let reference = Weak(value: self)
        for (index, configuration) in configurations.enumerated() {
            Task(executorPreference: loop) { await reference.poll(index, configuration.forPolling, on: loop) }
        }
        Task(executorPreference: loop) { await reference.pollPrimary(on: loop) }
    }

    // MARK: Reading

    /// Lets `body` read from the server that the session allows; from another one, once, when the first fails before `hasBegun`.
    /// - Throws: what `body` throws.
    package func read<Value>(
        for session: CausalSession, _ pool: KeyPath<Pools, Pool>, hasBegun: () -> Bool = { false },
        _ body: (Pool) async throws -> Value
    ) async throws -> Value {
        let first = session.reads == .replicaPreferred ? set.choose(after: session.required) : nil
        if first != nil { reads += 1 }
        do { return try await body(pools(of: first)[keyPath: pool]) } catch let error as PostgresError {
            guard session.reads != .primary, !hasBegun(), error.isOfServer || first != nil && error.isOfReplay else {
                throw error
            }
            if let first, error.isOfServer { note(first, because: "\(error)") { $0.failed(first) } }
            // What one replica has not replayed, or cancels for its replay, is likely to fail on another.
            let second = error.isOfServer ? set.choose(after: session.required, except: first) : nil
            guard first != second else { throw error }
            retries += 1
            return try await body(pools(of: second)[keyPath: pool])
        }
    }

    /// The connections to a replica, or to the primary when it is `nil`.
    private func pools(of index: Int?) -> Pools { index.map { replicas[$0].pools } ?? primary }

    // MARK: Statistics

    /// What the replicas are used for at a moment.
    public struct Statistics: Hashable, Sendable {
        /// Those that reads may go to. One that is the primary now is none.
        public var configured: Int
        /// Those that are read from now.
        public var inUse: Int
        /// Reads that were sent to one so far.
        public var reads: Int
        /// Reads that another server had to answer so far.
        public var retries: Int
    }

    /// What the replicas are used for now.
    public var statistics: Statistics {
        Statistics(
            configured: set.states.count { $0 != .notStandby }, inUse: set.states.count(where: \.isFollowing),
            reads: reads, retries: retries)
    }

    // MARK: What the polls say

    fileprivate func answered(_ index: Int, replayed: WALPosition?, at now: Instant) {
        note(index) { $0.answered(index, replayed: replayed, at: now) }
    }

    /// Closes the connections to a replica that does not answer, so that the reads on them are sent to another server.
    fileprivate func lost(_ index: Int, _ error: any Error) {
        note(index, because: "\(error)") { $0.failed(index) }
        replicas[index].abandon(log)
    }

    /// Takes the primary's position.
    /// - Throws: `PostgresError`, `DecodingError`.
    fileprivate func readPrimaryPosition(at now: () -> Instant) async throws {
        var row = try await primary.reads.read(.primaryPosition).row(0)
        set.primaryIs(at: try row.position(), at: now())
    }

    /// Changes what is known of a replica, and logs when that changes what it is used for.
    private func note(_ index: Int, because reason: String? = nil, _ change: (inout ReplicaSet) -> Void) {
        let before = set.states[index].word
        change(&set)
        let after = set.states[index].word
        guard before != after else { return }
        log.log(
            level: set.states[index].isFollowing ? .notice : .warning,
            "replica \(replicas[index].name) \(after)\(reason.map { ": \($0)" } ?? "")")
    }
}

/// The connections to one server.
package struct Pools {
    package let reads: Pool
    package let streams: Pool

    package init(reads: Pool, streams: Pool) { (self.reads, self.streams) = (reads, streams) }
}

/// One replica: where it is, and the connections to it.
private struct Replica {
    private let configuration: PostgresConfiguration
    private(set) var pools: Pools

    init(_ configuration: PostgresConfiguration, _ log: Logger) {
        self.configuration = configuration
        pools = Replica.pools(configuration, log)
    }

    var name: String { configuration.replica.map { "\($0.name):\($0.port)" } ?? "" }

    /// Closes all connections; later ones are new.
    mutating func abandon(_ log: Logger) {
        let old = pools
        pools = Replica.pools(configuration, log)
        old.reads.abandon()
        old.streams.abandon()
    }

    private static func pools(_ configuration: PostgresConfiguration, _ log: Logger) -> Pools {
        Pools(reads: Pool(configuration, log: log), streams: Pool(configuration.forStreams, log: log))
    }
}

/// Polls for as long as somebody reads.
private struct Weak: Sendable {
    weak let value: Replicas?

    private static let interval = Duration.milliseconds(100)
    private static let pause = Duration.milliseconds(500)

    /// Asks a replica what it has replayed, on a connection of its own, so that no read delays the answer.
    func poll(_ index: Int, _ configuration: PostgresConfiguration, on loop: Loop) async {
        while value != nil {
            do {
                let connection = try await Connection.open(configuration)
                defer { connection.close() }
                // A standby goes back to an earlier timeline only when it is started anew, which closes the connection.
                var timeline: UInt32 = 0
                while value != nil {
                    var row = try await connection.execute(Weak.replayed).row(0)
                    let isStandby = try row.next(Bool.self)
                    let position = try row.position()
                    timeline = max(timeline, position.timeline)
                    let replayed = WALPosition(timeline: timeline, lsn: position.lsn)
                    value?.answered(index, replayed: isStandby ? replayed : nil, at: loop.now)
                    try await loop.sleep(for: Weak.interval)
                }
            } catch {
                value?.lost(index, error)
                try? await loop.sleep(for: Weak.pause)
            }
        }
    }

    /// The timeline is the one that is received, as whoever has the rights of `pg_read_all_stats` sees it; or else that of the last
    /// restartpoint: a standby has no function for that of the record it has replayed last.
    private static let replayed: Statement = """
        SELECT pg_is_in_recovery(), greatest(min_recovery_end_timeline, timeline_id, received_tli)::bigint, \
        coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::bigint \
        FROM pg_control_recovery(), pg_control_checkpoint() LEFT JOIN pg_stat_wal_receiver ON true
        """

    /// Asks the primary for its position, by which the lag of replicas is measured.
    func pollPrimary(on loop: Loop) async {
        while value != nil {
            try? await value?.readPrimaryPosition { loop.now }
            try? await loop.sleep(for: Weak.pause)
        }
    }
}

extension ReplicaSet.State {
    fileprivate var isFollowing: Bool { if case .following = self { true } else { false } }

    /// What it means for reads.
    fileprivate var word: String {
        switch self {
        case .unavailable: "does not answer"
        case .notStandby: "is not in recovery, and is not read from"
        case .lagging: "lags too much"
        case .following: "is read from"
        }
    }
}

extension PostgresError {
    /// Whether the server cannot be asked: another one may be.
    fileprivate var isOfServer: Bool {
        switch kind {
        case .unreachable, .notSent, .lost, .terminated, .busy, .deadline: true
        case .server: state == "57P03"
        case .aborted: false
        }
    }

    /// Whether it comes of the replay that a replica is in: a conflict with it (Postgres manual, chapter 27.4.2), a table or column that
    /// it has not got to yet, a statement that a standby does not run.
    fileprivate var isOfReplay: Bool {
        guard let state else { return false }
        return ["40001", "40P01", "42P01", "42703", "25006"].contains(state.code)
            || state == "57014" && message.contains("recovery")
    }
}
