import EventLoop
import SQL

/// Asks the replicas and the primary where they are, for as long as somebody reads from them.
struct ReplicaPoll: Sendable {
    weak let replicas: Replicas?
    let loop: Loop

    private static let interval = Duration.milliseconds(100)
    private static let pause = Duration.milliseconds(500)

    init(replicas: Replicas, loop: Loop) { (self.replicas, self.loop) = (replicas, loop) }

    /// Asks a replica what it has replayed, on a connection of its own, so that no read delays the answer.
    func askReplica(_ index: Int, _ configuration: PostgresConfiguration) async {
        while replicas != nil {
            do {
                let connection = try await Connection.open(configuration)
                // At once, and not with the next question: what is known of it is not true any more.
                connection.onClose = { [weak replicas] in replicas?.lost(index, Connection.lost) }
                defer {
                    connection.onClose = {}
                    connection.close()
                }
                var first: ServerIdentity?
                // A standby goes back to an earlier timeline only when it is started anew, which closes the connection.
                var timeline: UInt32 = 0
                while replicas != nil {
                    var row = try await connection.execute(.replicaStatus).row(0)
                    let identity = try ServerIdentity(&row)
                    guard first ?? identity == identity else { throw ServerIdentity.changed }
                    first = identity
                    let isStandby = try row.next(Bool.self)
                    let position = try row.position()
                    timeline = max(timeline, position.timeline)
                    let answer = ReplicaSet.Answer(
                        system: identity.system, isStandby: isStandby,
                        position: WALPosition(timeline: timeline, lsn: position.lsn))
                    replicas?.answered(index, answer, from: identity)
                    try await loop.sleep(for: ReplicaPoll.interval)
                }
            } catch {
                replicas?.lost(index, error)
                try? await loop.sleep(for: ReplicaPoll.pause)
            }
        }
    }

    /// Asks the primary for its position, by which the lag of replicas is measured.
    func askPrimary() async {
        while replicas != nil {
            do { try await replicas?.askPrimary() } catch let error as PostgresError {
                replicas?.isRefusedByPrimary(error)
            } catch {}
            try? await loop.sleep(for: ReplicaPoll.pause)
        }
    }
}

extension Statement {
    /// Reads a server's identity, whether it is a standby, and its replay position.
    ///
    /// The timeline is the one that is received, which only a role with the rights of `pg_read_all_stats` sees; else that of the last
    /// restartpoint: a standby has no function for the timeline of the record that it has replayed last.
    fileprivate static let replicaStatus = Statement(
        unsafe: """
            SELECT \(ServerIdentity.columns), pg_is_in_recovery(), \
            greatest(min_recovery_end_timeline, timeline_id, received_tli)::bigint, \(ServerIdentity.replayedColumn) \
            FROM pg_control_system(), pg_control_recovery(), pg_control_checkpoint() LEFT JOIN pg_stat_wal_receiver ON true
            """)
}
