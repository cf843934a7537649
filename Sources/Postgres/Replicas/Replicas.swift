import EventLoop
import Logging
import SQL

/// The replicas of a database, as one loop uses them: connections to each, and a poll of what it has replayed.
///
/// A read costs no round trip but its own: which replica may answer it is known from the polls. Sound as `@unchecked Sendable`: it is
/// touched on its loop's thread only.
public final class Replicas: @unchecked Sendable {
    private let primary: Pools
    private let replicas: [Replica]
    private var set: ReplicaSet
    private let loop: Loop
    private let log: Logger
    private var (reads, retries) = (0, 0)
    /// What the primary said last when it did not say where it is.
    private var refusal = ""

    /// Makes the replicas that a configuration names, and begins to poll them; `nil` when it names none.
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
            Task(executorPreference: loop) { await poll.askReplica(index, configuration.forPolling) }
        }
        Task(executorPreference: loop) { await poll.askPrimary() }
    }

    // MARK: Reading

    /// Lets `body` read from the server that the session allows. When that one fails before `hasBegun`, another replica is tried, and when
    /// that one fails, too, the primary.
    /// - Throws: what `body` throws.
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
            } catch let error as PostgresError where !hasBegun() && error.isWorthAnotherServer {
                retries += 1
                failed = index
                if error.isOfServer, error.kind != .busy { readFailed(index, error) }
                // What one replica has not replayed, or cancels for its replay, is likely to fail on another; and who has waited for a
                // connection does not wait twice.
                guard error.isOfServer, error.kind != .busy else { break }
            }
        }
        session.server = .primary
        return try await readPrimary(for: session, pool, hasBegun, body)
    }

    /// Reads from the primary; while that one cannot be asked, from a replica, also from one whose reads have failed.
    private func readPrimary<Value>(
        for session: CausalSession, _ pool: KeyPath<Pools, Pool>, _ hasBegun: () -> Bool,
        _ body: (Pool) async throws -> Value
    ) async throws -> Value {
        do { return try await body(primary[keyPath: pool]) } catch let error as PostgresError
            where error.isOfServer && !hasBegun()
        {
            guard let index = set.choose(after: session.required, ignoringPauses: true, at: loop.now) else {
                throw error
            }
            return try await body(replicas[index].pools[keyPath: pool])
        }
    }

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
        let states = set.states
        return Statistics(
            configured: states.count { $0 != .notStandby },
            inUse: states.indices.count { states[$0].isFollowing && !set.isPaused($0, at: loop.now) }, reads: reads,
            retries: retries)
    }

    // MARK: What is known of them

    func answered(_ index: Int, _ answer: ReplicaSet.Answer, from identity: ServerIdentity) {
        replicas[index].identity = identity
        replicas[index].replayed = answer.isStandby ? answer.position.lsn : 0
        set.answered(index, answer)
        note(index)
    }

    /// Closes the connections to a replica that does not answer, so that the reads on them are sent to another server.
    func lost(_ index: Int, _ error: any Error) {
        set.isUnavailable(index)
        note(index, "\(error)")
        replicas[index].reconnect()
    }

    /// Takes the primary's position.
    /// - Throws: `PostgresError`, `DecodingError`.
    func askPrimary() async throws {
        let replayed = set.replayed
        var row = try await primary.reads.read(.primaryStatus).row(0)
        let system = try row.next(Int64.self)
        let answer = ReplicaSet.Answer(system: system, isStandby: false, position: try row.position())
        set.primaryAnswered(answer, after: replayed, at: loop.now)
        for index in replicas.indices { note(index) }
    }

    /// Logs why the primary does not say where it is, when it could: without that, no lag is noticed.
    func isRefusedByPrimary(_ error: PostgresError) {
        guard error.kind == .server, refusal != error.message else { return }
        refusal = error.message
        log.error("the primary does not say where it is, so that replicas may lag unnoticed: \(error)")
    }

    private func readFailed(_ index: Int, _ error: PostgresError) {
        guard !set.isPaused(index, at: loop.now) else { return }
        set.readFailed(index, at: loop.now)
        log.warning("replica \(replicas[index].name) is left alone for a while, because a read has failed: \(error)")
    }

    /// Logs what is known of a replica when that has changed.
    private func note(_ index: Int, _ reason: String = "") {
        let state = set.states[index]
        let words = state.words + (reason.isEmpty ? "" : ": \(reason)")
        guard words != replicas[index].said else { return }
        replicas[index].said = words
        log.log(level: state.isFollowing ? .notice : .warning, "replica \(replicas[index].name) \(words)")
    }
}

/// The connections to one server.
package struct Pools {
    package let reads: Pool
    package let streams: Pool

    package init(reads: Pool, streams: Pool) { (self.reads, self.streams) = (reads, streams) }
}

/// A server: a cluster, and which start of a postmaster. A host name may stand for several.
struct ServerIdentity: Equatable {
    let system: Int64
    /// In microseconds since 1970.
    let started: Int64

    /// Reads both, each a `bigint`.
    /// - Throws: `DecodingError`.
    init(_ row: inout ResultRow) throws(DecodingError) { (system, started) = (try row.next(), try row.next()) }

    /// A pooler leads one connection to several servers.
    static let changed = PostgresError(
        .unreachable, message: "several servers answer on one connection: name each replica by a name of its own")

    static let columns = "system_identifier, (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint"
    static let replayedColumn = "coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::bigint"

    /// Reads a server's identity and its replay LSN.
    static let question = Statement(unsafe: "SELECT \(columns), \(replayedColumn) FROM pg_control_system()")
}

/// One replica: where it is, and the connections to it.
private final class Replica {
    private let configuration: PostgresConfiguration
    private let log: Logger
    private(set) lazy var pools = newPools()
    /// The server that is polled, and what it has replayed.
    var identity: ServerIdentity?
    var replayed: UInt64 = 0
    /// What the log says last.
    var said = ""

    init(_ configuration: PostgresConfiguration, _ log: Logger) {
        (self.configuration, self.log) = (configuration, log)
    }

    var name: String { configuration.replica.map { "\($0.name):\($0.port)" } ?? "" }

    /// Replaces the pools, and shuts the old ones down.
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

    /// Refuses a connection to another server than the one that is polled, and to one that replays again what it had replayed, after a crash:
    /// reads are sent there by what the poll has said.
    private func check(_ connection: Connection) async throws {
        let known = replayed
        var row = try await connection.execute(ServerIdentity.question).row(0)
        let isKnown = try ServerIdentity(&row) == identity
        let lsn = UInt64(bitPattern: try row.next(Int64.self))
        guard isKnown, lsn >= known else {
            connection.close()
            throw PostgresError(
                .unreachable,
                message: isKnown
                    ? "the server has been restarted, and has not replayed again what it had"
                    : "another server has answered than the one that is polled: name each replica by a name of its own")
        }
    }
}

extension ReplicaSet.State {
    fileprivate var isFollowing: Bool { if case .following = self { true } else { false } }

    /// What it means for reads.
    fileprivate var words: String {
        switch self {
        case .unknown: ""
        case .unavailable: "does not answer"
        case .notStandby: "is not in recovery, and is not read from"
        case .foreign: "is not of the primary's cluster, and is not read from"
        case .lagging: "lags too much"
        case .ahead: "has what the primary has not, and is not read from"
        case .following: "is read from"
        }
    }
}

extension PostgresError {
    /// Whether the server cannot be asked: another one may be.
    fileprivate var isOfServer: Bool {
        switch kind {
        case .unreachable, .notSent, .lost, .terminated, .busy, .deadline: true
        case .server: state == "57P03" || state?.classCode == "53"
        case .aborted: false
        }
    }

    /// Whether another server may well answer what a replica has not: one that replays may cancel a query for it (Postgres manual, chapter
    /// 27.4.2), and may lack tables, columns, types and rights that the primary has.
    fileprivate var isWorthAnotherServer: Bool {
        isOfServer || [.defect, .serializationFailure, .unavailable].contains(meaning)
            || state == "57014" && message.contains("recovery")
    }
}
