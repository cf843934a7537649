import EventLoop
import Logging
import SQL

/// The replicas of a database, for one event loop: the connection pools of each replica, and the polling of the replay
/// positions.
///
/// A read needs no additional round trip, because the polls have determined which replicas may serve it. `@unchecked
/// Sendable` is sound because an instance is used only on the thread of its event loop.
public final class Replicas: @unchecked Sendable {
    private let primary: Pools
    private let replicas: [Replica]
    private var set: ReplicaSet
    private let loop: Loop
    private let log: Logger
    private var (reads, retries) = (0, 0)
    /// The last error message of polling the primary, which is stored so that a repeated message is logged only once.
    private var lastPrimaryError: String?

    /// Creates the replicas of a configuration and starts to poll them; returns `nil` if the configuration has no
    /// replicas.
    package init?(
        _ configuration: PostgresConfiguration, primary: Pools, log: Logger = Logger(label: "aktify.postgres")
    ) {
        let configurations = configuration.replicas
        guard let loop = Loop.current, !configurations.isEmpty else { return nil }
        (self.primary, self.loop, self.log) = (primary, loop, log)
        replicas = configurations.map { Replica($0, log) }
        set = ReplicaSet(count: configurations.count, maximumLag: configuration.maximumLag)
        let poll = ReplicaPoll(replicas: self, loop: loop)
        for (index, configuration) in configurations.enumerated() {
            Task(executorPreference: loop) { await poll.pollReplica(index, configuration.forPolling) }
        }
        Task(executorPreference: loop) { await poll.pollPrimary() }
    }

    // MARK: Reading

    /// Calls `body` with the pool of a server that the session's preference and required position allow. If the read
    /// fails while `hasBegun` returns `false`, and may succeed on another of these servers, the read is retried there.
    /// - Parameters:
    ///   - session: The causal session of the read.
    ///   - pool: The pool to use: for single reads or for streams.
    ///   - hasBegun: Returns whether `body` has delivered results. Once it has, the read cannot be retried.
    ///   - body: Reads from a pool.
    /// - Throws: What `body` throws.
    package func read<Value>(
        for session: CausalSession, _ pool: KeyPath<Pools, Pool>, hasBegun: () -> Bool = { false },
        _ body: (Pool) async throws -> Value
    ) async throws -> Value {
        switch session.reads {
        case .primary: return try await body(primary[keyPath: pool])
        case .primaryPreferred: return try await readPrimary(for: session, pool, hasBegun, body)
        case .replicaPreferred: break
        }
        var failed: Int?
        for _ in 0..<2 where session.server != .primary {
            guard
                let index = set.choose(
                    after: session.required, preferring: session.server.replica, except: failed, at: loop.now)
            else { break }
            session.server = .replica(index)
            reads += 1
            let start = Instant.now
            do {
                let value = try await body(replicas[index].pools[keyPath: pool])
                set.readSucceeded(index, since: start)
                return value
            } catch let error as PostgresError where !hasBegun() && error.isRetryableOnAnotherServer {
                retries += 1
                failed = index
                if error.isServerFailure, error.kind != .busy { readFailed(index, error) }
                // If the replica has not replayed the required objects, or has cancelled the query to replay, another
                // replica is likely to do the same; and a read that has waited for a connection does not wait twice.
                guard error.isServerFailure, error.kind != .busy else { break }
            }
        }
        session.server = .primary
        return try await readPrimary(for: session, pool, hasBegun, body)
    }

    /// Reads from the primary or, if the primary cannot be reached, from a replica, even one that is in backoff after
    /// failed reads.
    private func readPrimary<Value>(
        for session: CausalSession, _ pool: KeyPath<Pools, Pool>, _ hasBegun: () -> Bool,
        _ body: (Pool) async throws -> Value
    ) async throws -> Value {
        do { return try await body(primary[keyPath: pool]) } catch let error as PostgresError
            where error.meansUnreachable && !hasBegun()
        {
            guard
                let index = set.choose(
                    after: session.required, preferring: session.server.replica, ignoringPauses: true, at: loop.now)
            else { throw error }
            session.server = .replica(index)
            (reads, retries) = (reads + 1, retries + 1)
            return try await body(replicas[index].pools[keyPath: pool])
        }
    }

    // MARK: Statistics

    /// The use of the replicas at a point in time.
    public struct Statistics: Hashable, Sendable {
        /// The number of configured replicas, except servers that are not in recovery, such as the current primary.
        public var configured: Int
        /// The number of replicas that currently serve reads.
        public var inUse: Int
        /// The total number of reads sent to a replica.
        public var reads: Int
        /// The total number of retries of reads on another server.
        public var retries: Int
    }

    /// The current statistics of the replicas.
    public var statistics: Statistics {
        let states = set.states
        return Statistics(
            configured: states.count { $0 != .notStandby },
            inUse: states.indices.count { states[$0].isFollowing && !set.isPaused($0, at: loop.now) }, reads: reads,
            retries: retries)
    }

    // MARK: Polls

    /// Records the result of a successful poll of a replica.
    func pollSucceeded(_ index: Int, _ status: ReplicaSet.Status, from identity: ServerIdentity) {
        replicas[index].identity = identity
        replicas[index].replayed = status.isStandby ? status.position.lsn : 0
        set.updateReplica(index, status)
        logStateChange(index)
    }

    /// Records that polling a replica failed, and closes the connections to the replica, so that the reads in flight on
    /// these connections are retried on another server.
    func pollFailed(_ index: Int, _ error: any Error) {
        set.markUnavailable(index)
        logStateChange(index, "\(error)")
        replicas[index].reconnect()
    }

    /// Polls the primary for its WAL position.
    /// - Throws: `PostgresError`, `DecodingError`.
    func pollPrimary() async throws {
        let replayed = set.replayed
        var row = try await primary.reads.read(.primaryStatus).row(0)
        let system = try row.next(Int64.self)
        let status = ReplicaSet.Status(system: system, isStandby: false, position: try row.position())
        set.updatePrimary(status, after: replayed, at: loop.now)
        lastPrimaryError = nil
        for index in replicas.indices { logStateChange(index) }
    }

    /// Logs the error of a primary that can be reached but does not report its position. Without the position,
    /// replication lag is not detected.
    func primaryPollFailed(_ error: PostgresError) {
        guard error.kind == .server, lastPrimaryError != error.message else { return }
        lastPrimaryError = error.message
        log.error("the primary does not report its position, so that replication lag is not detected: \(error)")
    }

    /// Starts the backoff of a replica after a failed read.
    private func readFailed(_ index: Int, _ error: PostgresError) {
        guard !set.isPaused(index, at: loop.now) else { return }
        set.readFailed(index, at: loop.now)
        log.warning("replica \(replicas[index].name) is skipped for now because a read failed: \(error)")
    }

    /// Logs the state of a replica if it has changed.
    private func logStateChange(_ index: Int, _ reason: String = "") {
        let state = set.states[index]
        let text = state.text + (reason.isEmpty ? "" : ": \(reason)")
        guard text != replicas[index].lastLogged else { return }
        replicas[index].lastLogged = text
        log.log(level: state.isFollowing ? .notice : .warning, "replica \(replicas[index].name) \(text)")
    }
}

/// The connection pools of one server.
package struct Pools {
    /// The pool for single reads.
    package let reads: Pool
    /// The pool for streams.
    package let streams: Pool

    /// Creates the pools of one server from a pool for single reads and one for streams.
    package init(reads: Pool, streams: Pool) { (self.reads, self.streams) = (reads, streams) }
}

/// The identity of a running server: the cluster's system identifier and the postmaster's start time. The identity
/// distinguishes the servers that one host name may resolve to.
struct ServerIdentity: Equatable {
    /// The system identifier of the cluster.
    let system: Int64
    /// The start time of the postmaster, in microseconds since 1970-01-01 00:00:00 UTC.
    let started: Int64

    /// Decodes the system identifier and the start time from two `bigint` columns.
    /// - Throws: `DecodingError`.
    init(_ row: inout ResultRow) throws(DecodingError) { (system, started) = (try row.next(), try row.next()) }

    /// The error for a connection on which statements reach several servers, because a connection pooler is in between.
    static let changed = PostgresError(
        .unreachable,
        message: "several servers respond on one connection: configure a distinct host name for each replica")

    /// The SQL expressions for the two columns that `init(_:)` decodes, in a query of `pg_control_system()`.
    static let columns = "system_identifier, (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint"
    /// The SQL expression for the replay LSN; 0 on a server that was started without recovery.
    static let replayedColumn = "coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::bigint"

    /// The query for a server's identity and its replay LSN.
    static let query = Statement(unsafe: "SELECT \(columns), \(replayedColumn) FROM pg_control_system()")
}

/// One replica: its configuration and the connections to it.
private final class Replica {
    private let configuration: PostgresConfiguration
    private let log: Logger
    private(set) lazy var pools = newPools()
    /// The identity of the server that was polled last under this replica's host name; `nil` before the first poll.
    var identity: ServerIdentity?
    /// The replay LSN at the last poll; 0 if the server is not a standby.
    var replayed: UInt64 = 0
    /// The state that was logged last.
    var lastLogged = ""

    init(_ configuration: PostgresConfiguration, _ log: Logger) {
        (self.configuration, self.log) = (configuration, log)
    }

    var name: String { configuration.replica.map { "\($0.name):\($0.port)" } ?? "" }

    /// Replaces the connection pools with new ones, and shuts the old ones down.
    func reconnect() {
        let old = pools
        pools = newPools()
        old.reads.shutDown()
        old.streams.shutDown()
    }

    private func newPools() -> Pools {
        func pool(_ configuration: PostgresConfiguration) -> Pool {
            Pool(configuration, log: log) { [weak self] in try await self?.check($0) }
        }
        return Pools(reads: pool(configuration), streams: pool(configuration.forStreams))
    }

    /// Validates that a new connection leads to the server that was polled last. The connection is rejected if it leads
    /// to another server, or if the server was restarted and has not reached its earlier replay position again.
    /// - Throws: `PostgresError` if the connection is rejected or fails; `DecodingError`.
    private func check(_ connection: Connection) async throws {
        let known = replayed
        var row = try await connection.execute(ServerIdentity.query).row(0)
        let isKnown = try ServerIdentity(&row) == identity
        let lsn = UInt64(bitPattern: try row.next(Int64.self))
        guard isKnown, lsn >= known else {
            connection.close()
            throw PostgresError(
                .unreachable,
                message: isKnown
                    ? "the server has been restarted and has not yet reached its earlier replay position"
                    : "the connection leads to another server than the polled one: configure a distinct host name for each replica"
            )
        }
    }
}

extension ReplicaSet.State {
    fileprivate var isFollowing: Bool { if case .following = self { true } else { false } }

    /// The state's description for the log.
    fileprivate var text: String {
        switch self {
        case .unknown: ""
        case .unavailable: "does not respond"
        case .notStandby: "is not in recovery and serves no reads"
        case .foreign: "belongs to another cluster than the primary and serves no reads"
        case .lagging: "lags by more than the maximum and serves no reads"
        case .ahead: "is ahead of the primary and serves no reads"
        case .following: "serves reads"
        }
    }
}

extension PostgresError {
    /// Whether the error means that the server is unreachable, not merely overloaded.
    fileprivate var meansUnreachable: Bool {
        switch kind {
        case .unreachable, .notSent, .lost, .terminated: true
        case .server: state == "57P03"
        case .aborted, .busy, .deadline: false
        }
    }

    /// Whether the error means that the server is unreachable or overloaded, so that another server should be tried.
    fileprivate var isServerFailure: Bool {
        meansUnreachable || kind == .busy || kind == .deadline || state?.classCode == "53"
    }

    /// Whether a read that failed with this error on a replica may succeed on another server. A replica may cancel a
    /// query that conflicts with the replay of WAL (Postgres manual, section 27.4.2), and may lack tables, columns,
    /// types and privileges that the primary has.
    fileprivate var isRetryableOnAnotherServer: Bool {
        isServerFailure || [.defect, .serializationFailure, .unavailable].contains(meaning)
            || state == "57014" && message.contains("recovery")
    }
}
