import EventLoop
import SQL

/// The polling of the replicas and the primary for their WAL positions, until the `Replicas` instance is released.
struct ReplicaPoll: Sendable {
    weak let replicas: Replicas?
    let loop: Loop

    private static let interval = Duration.milliseconds(100)
    private static let retryInterval = Duration.milliseconds(500)

    init(replicas: Replicas, loop: Loop) { (self.replicas, self.loop) = (replicas, loop) }

    /// Polls a replica for its replay position, on a separate connection, so that other reads do not delay the poll.
    func pollReplica(_ index: Int, _ configuration: PostgresConfiguration) async {
        while replicas != nil {
            do {
                let connection = try await Connection.open(configuration)
                // The close is reported immediately, not at the next poll, because the replica's state is outdated.
                connection.onClose = { [weak replicas] in replicas?.pollFailed(index, Connection.lost) }
                defer {
                    connection.onClose = {}
                    connection.close()
                }
                var first: ServerIdentity?
                // A standby's timeline decreases only when it is recreated and restarted, which closes the connection.
                var timeline: UInt32 = 0
                while replicas != nil {
                    var row = try await connection.execute(.replicaStatus).row(0)
                    let identity = try ServerIdentity(&row)
                    guard first ?? identity == identity else { throw ServerIdentity.changed }
                    first = identity
                    let isStandby = try row.next(Bool.self)
                    let position = try row.position()
                    timeline = max(timeline, position.timeline)
                    let status = ReplicaSet.Status(
                        system: identity.system, isStandby: isStandby,
                        position: WALPosition(timeline: timeline, lsn: position.lsn))
                    replicas?.pollSucceeded(index, status, from: identity)
                    try await loop.sleep(for: ReplicaPoll.interval)
                }
            } catch {
                replicas?.pollFailed(index, error)
                try? await loop.sleep(for: ReplicaPoll.retryInterval)
            }
        }
    }

    /// Polls the primary for its WAL position, from which the replicas' lag is computed.
    func pollPrimary() async {
        while replicas != nil {
            do { try await replicas?.pollPrimary() } catch let error as PostgresError {
                replicas?.primaryPollFailed(error)
            } catch {}
            try? await loop.sleep(for: ReplicaPoll.retryInterval)
        }
    }
}

extension Statement {
    /// The query for a server's identity, whether the server is in recovery, and its replay position.
    ///
    /// Postgres has no function for the timeline of the last replayed record. The query returns the latest timeline
    /// among those of the minimum recovery end, the last restartpoint and the WAL receiver. Only a role with the
    /// privileges of `pg_read_all_stats` can see the WAL receiver's timeline.
    fileprivate static let replicaStatus = Statement(
        unsafe: """
            SELECT \(ServerIdentity.columns), pg_is_in_recovery(), \
            greatest(min_recovery_end_timeline, timeline_id, received_tli)::bigint, \(ServerIdentity.replayedColumn) \
            FROM pg_control_system(), pg_control_recovery(), pg_control_checkpoint() LEFT JOIN pg_stat_wal_receiver ON true
            """)
}
