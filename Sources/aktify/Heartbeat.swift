import EventLoop
import Glibc
import Logging
import ORM
import Scoreboard
import Supervisor

/// Publishes in the scoreboard, four times a second, that an event loop is alive, along with the statistics of the
/// loop's connection pool and replicas; once a second, also the memory use of the process. The master replaces a worker
/// whose heartbeat stops.
///
/// Safe as `@unchecked Sendable`: a heartbeat is only used on its event loop's thread.
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

    /// Publishes the heartbeat now, and again at each interval, until the event loop stops. Without a master, also logs
    /// slow requests.
    /// - Parameter slowRequest: how long a request may run before it is logged as slow.
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
        // With a master, the master logs slow requests: it can do so even while this event loop is blocked.
        if !hasMaster { slowRequests.update(from: slot, of: getpid(), longerThan: slowRequest, log: log) }
        beats += 1
        loop.schedule(at: Instant.now.advanced(by: Heartbeat.interval)) { self.beat(slowRequest: slowRequest, log) }
    }

    /// Returns the resident set size in bytes (proc(5), /proc/self/statm).
    private static func residentMemory() -> Int {
        let pages = readFile("/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }
}
