import EventLoop
import Glibc
import Logging
import ORM
import Scoreboard
import Supervisor

/// Says several times a second that a loop turns, and what it holds.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
final class Heartbeat: @unchecked Sendable {
    private let slot: Slot
    private let database: Database
    private let loop: Loop
    private let hasMaster: Bool
    private var slowRequests = SlowRequestLog()
    private var beats = 0

    init(_ slot: Slot, _ database: Database, _ loop: Loop, hasMaster: Bool) {
        (self.slot, self.database, self.loop, self.hasMaster) = (slot, database, loop, hasMaster)
    }

    private static let interval = Duration.milliseconds(250)

    /// Begins; it goes on for as long as the loop turns.
    func beat(slowRequest: Duration, _ log: Logger) {
        slot[.lastTurn] = Int(Instant.now.nanoseconds)
        if let pool = database.statistics {
            (slot[.poolOpen], slot[.poolLeased]) = (pool.open, pool.leased)
            (slot[.poolIdle], slot[.poolWaiting]) = (pool.idle, pool.waiting)
        }
        if let replicas = database.replicas?.statistics {
            (slot[.replicas], slot[.replicasInUse]) = (replicas.configured, replicas.inUse)
            (slot[.replicaReads], slot[.replicaRetries]) = (replicas.reads, replicas.retries)
        }
        if beats % 4 == 0 {
            slot[.memory] = Heartbeat.residentMemory()
            slot[.peakMemory] = max(slot[.peakMemory], slot[.memory])
        }
        // With a master, that one looks, also when this loop is stuck.
        if !hasMaster { slowRequests.update(from: slot, of: getpid(), longerThan: slowRequest, log: log) }
        beats += 1
        loop.schedule(at: Instant.now.advanced(by: Heartbeat.interval)) { self.beat(slowRequest: slowRequest, log) }
    }

    /// Resident memory, in bytes (proc(5), /proc/self/statm).
    private static func residentMemory() -> Int {
        let pages = readFile("/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }
}
