import EventLoop
import Glibc
import Scoreboard
import Supervisor
import Web

/// The status report in JSON: the members of php-fpm's status page, followed by members that only this program has.
struct StatusReport: JSONWritable {
    private let status: Master.Status
    private let isFull: Bool
    private let now = Int(time(nil))
    private let clock = Int(Instant.now.nanoseconds)

    init(_ status: Master.Status, isFull: Bool) { (self.status, self.isFull) = (status, isFull) }

    func write(to json: inout JSONWriter) {
        json.beginObject()
        writePHPFPMMembers(&json)
        writeOwnMembers(&json)
        if isFull {
            json.member("processes", status.workers.map { ProcessReport(worker: $0, now: now, clock: clock) })
            let requests = status.workers.flatMap { worker in
                worker.slot.activeRequests.map { RequestReport(worker: worker.pid, report: $0, clock: clock) }
            }
            json.member("requests in flight", requests)
            json.member("recent reloads", status.events.recentReloads)
        }
        json.endObject()
    }

    /// Writes the members that php-fpm has, in its order (sapi/fpm/fpm/fpm_status.c).
    private func writePHPFPMMembers(_ json: inout JSONWriter) {
        let active = status.workers.count { $0.slot[.active] > 0 }
        json.member("pool", "aktify")
        json.member("process manager", "static")
        json.member("start time", status.events.started)
        json.member("start since", now - status.events.started)
        json.member("accepted conn", status.total(.requests))
        json.member("listen queue", status.queue?.length ?? 0)
        json.member("max listen queue", status.events.peakQueueLength)
        json.member("listen queue len", status.queue?.limit ?? 0)
        json.member("idle processes", status.workers.count - active)
        json.member("active processes", active)
        json.member("total processes", status.workers.count)
        json.member("max active processes", max(active, status.events.peakActiveWorkers))
        // The number of workers is fixed ("static"), so it never reaches a limit.
        json.member("max children reached", 0)
        json.member("slow requests", status.total(.slow))
        json.member("memory peak", status.maximum(.peakMemory))
    }

    private func writeOwnMembers(_ json: inout JSONWriter) {
        json.member("version", Aktify.version)
        json.member("generation", status.generation)
        json.member("wanted processes", status.target)
        json.member("active requests", status.current(.active))
        json.member("max active requests", status.maximum(.peakActive))
        json.member("reloads", status.events.reloads)
        json.member("failed reloads", status.events.failedReloads)
        json.member("reloads under way", status.isReloading ? 1 : 0)
        let last = status.events.recentReloads.last
        json.member("last reload", last.map(\.outcome) ?? "")
        json.member("last reload time", last?.time ?? 0)
        json.member("respawns", status.events.respawns)
        json.member("worker crashes", status.events.crashes)
        json.member("stuck workers", status.events.stuck)
        json.member("recycled", status.events.recycled)
        json.member("db pool open", status.current(.poolOpen))
        json.member("db pool in use", status.current(.poolOpen) - status.current(.poolIdle))
        json.member("db pool idle", status.current(.poolIdle))
        json.member("db pool waiting", status.current(.poolWaiting))
        json.member("replicas", status.maximum(.replicas))
        json.member("replicas in use", status.replicasInUse)
        json.member("replica reads", status.total(.replicaReads))
        json.member("replica retries", status.total(.replicaRetries))
        json.member("rss", status.current(.memory))
    }
}

extension Master.Reload: JSONWritable {
    /// The outcome of the reload: `done`, or `failed:` and the reason.
    fileprivate var outcome: String { problem.map { "failed: \($0)" } ?? "done" }

    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("number", number)
        json.member("outcome", outcome)
        json.member("time", time)
        json.endObject()
    }
}

extension Master.Status {
    /// Returns the sum of a scoreboard number over all workers, including those that have exited.
    func total(_ number: Slot.Number) -> Int { past[number] + current(number) }

    /// Returns the sum of a scoreboard number over the existing workers.
    func current(_ number: Slot.Number) -> Int { workers.reduce(0) { $0 + $1.slot[number] } }

    /// The minimum number of replicas in use by a worker, without the workers that are still starting; 0 when there are
    /// none.
    var replicasInUse: Int { workers.filter { $0.slot[.replicas] > 0 }.map { $0.slot[.replicasInUse] }.min() ?? 0 }

    /// Returns the maximum of a scoreboard number over all workers, including those that have exited.
    func maximum(_ number: Slot.Number) -> Int { workers.reduce(past[number]) { max($0, $1.slot[number]) } }
}

/// A worker in the status report, with the members that php-fpm reports for a process. Unlike a php-fpm process, a
/// worker may handle many requests at a time: members such as `request uri` describe the oldest request in progress.
private struct ProcessReport: JSONWritable {
    let worker: Master.WorkerStatus
    let now: Int
    let clock: Int

    func write(to json: inout JSONWriter) {
        let slot = worker.slot
        let oldest = slot.activeRequests.min { $0.began < $1.began }
        json.beginObject()
        json.member("pid", Int(worker.pid))
        json.member("state", worker.state == "Running" && oldest == nil ? "Idle" : worker.state)
        json.member("start time", slot[.started])
        json.member("start since", slot[.started] == 0 ? 0 : now - slot[.started])
        json.member("requests", slot[.requests])
        json.member("request duration", oldest.map { (clock - $0.began) / 1000 } ?? 0)
        json.member("request method", oldest?.method ?? "-")
        json.member("request uri", oldest?.target ?? "-")
        json.member("content length", oldest?.bodyBytes ?? 0)
        json.member("user", "-")
        json.member("script", "-")
        json.member("last request cpu", 0)
        json.member("last request memory", slot[.memory])
        json.member("generation", worker.generation)
        json.member("active requests", slot[.active])
        json.member("max active requests", slot[.peakActive])
        json.member("connections accepted", slot[.accepted])
        json.member("rss", slot[.memory])
        json.endObject()
    }
}

/// A request in progress, in the status report.
private struct RequestReport: JSONWritable {
    let worker: pid_t
    let report: RequestActivity.Report
    let clock: Int

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("pid", Int(worker))
        json.member("request id", report.id)
        json.member("request method", report.method)
        json.member("request uri", report.target)
        json.member("request duration", (clock - report.began) / 1000)
        json.member("database duration", report.databaseMicroseconds)
        json.member("phase", report.phaseDescription)
        json.endObject()
    }
}
