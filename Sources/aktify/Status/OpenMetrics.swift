import Scoreboard
import Supervisor

/// The status as OpenMetrics 1.0 has it: counts of all workers, those that have ended too.
struct OpenMetrics {
    private let status: Master.Status
    private(set) var text = ""

    init(_ status: Master.Status) {
        self.status = status
        writeHistograms()
        writeCounters()
        writeGauges()
        text += "# EOF\n"
    }

    // MARK: Histograms

    private static let help = [
        "request_duration_seconds": "Time from a request's arrival until its answer was sent.",
        "query_duration_seconds": "Time from sending a statement until its result was there.",
        "pool_wait_seconds": "Time that a statement waited until it was sent.",
    ]

    private mutating func writeHistograms() {
        let sums = Sums(([status.past] + status.workers.map(\.slot)).flatMap { Array($0.histograms) })
        for (name, help) in OpenMetrics.help.sorted(by: { $0.key < $1.key }) {
            declare(name, "histogram", help, unit: "seconds")
            for (series, sum) in sums.values.sorted(by: { $0.key < $1.key }) where series.hasPrefix(name) {
                write(sum, name, labels: String(series.dropFirst(name.count).dropFirst().dropLast()))
            }
        }
    }

    private mutating func write(_ sum: Sums.Sum, _ name: String, labels: String) {
        let comma = labels.isEmpty ? "" : ","
        var total = 0
        let bounds = Histogram.bounds.map { String(Double($0) / 1e9) } + ["+Inf"]
        for (bound, count) in zip(bounds, sum.counts) {
            total += count
            line("\(name)_bucket", "\(labels)\(comma)le=\"\(bound)\"", "\(total)")
        }
        line("\(name)_count", labels, "\(total)")
        line("\(name)_sum", labels, "\(Double(sum.nanoseconds) / 1e9)")
    }

    // MARK: Counters and gauges

    private mutating func writeCounters() {
        counter("requests", "Requests that began.", status.total(.requests))
        counter("connections", "Connections that were accepted.", status.total(.accepted))
        counter("slow_requests", "Requests that took longer than they should.", status.total(.slow))
        counter("replica_reads", "Reads that were sent to a replica.", status.total(.replicaReads))
        counter(
            "replica_retries", "Reads that were retried on another server.", status.total(.replicaRetries))
        counter("reloads", "Reloads that replaced all workers.", status.events.reloads)
        counter("failed_reloads", "Reloads after which the old workers went on.", status.events.failedReloads)
        counter("respawns", "Workers that were started in place of ones that had ended.", status.events.respawns)
        counter("crashes", "Workers that ended without having been told to.", status.events.crashes)
        counter("stuck", "Workers that were replaced because something blocked them.", status.events.stuck)
        counter("recycled", "Workers that were replaced because they were worn.", status.events.recycled)
    }

    private mutating func writeGauges() {
        gauge("workers", "Workers that run.", status.workers.count)
        gauge("workers_wanted", "Workers that there should be.", status.target)
        gauge("generation", "The generation that reloads count.", status.generation)
        gauge("requests_active", "Requests that are being answered.", status.now(.active))
        gauge("listen_queue", "Connections that wait to be accepted.", status.queue?.length ?? 0)
        gauge("listen_queue_limit", "Connections that may wait to be accepted.", status.queue?.limit ?? 0)
        gauge("pool_connections", "Connections to the database.", status.now(.poolOpen))
        gauge("pool_idle", "Connections to the database with nothing under way.", status.now(.poolIdle))
        gauge("pool_leased", "Connections to the database that one task has for itself.", status.now(.poolLeased))
        gauge("pool_waiting", "Tasks that wait for a connection to the database.", status.now(.poolWaiting))
        gauge("replicas", "Replicas that reads may go to.", status.greatest(.replicas))
        gauge(
            "replicas_in_use", "Replicas in use: the least of all workers.",
            status.least(.replicasInUse))
        gauge(
            "workers_without_database", "Workers that the database did not answer when they last asked, each 5 s.",
            status.now(.databaseUnreachable))
        gauge(
            "pending_revisions", "Revisions that the program has and the database lacks.",
            status.workers.reduce(0) { max($0, $1.slot[.pendingRevisions]) })
        gauge(
            "last_reload_failed", "Whether the last reload failed, so that the old workers go on: 0 or 1.",
            status.events.recentReloads.last?.problem == nil ? 0 : 1)
        gauge("memory_bytes", "Resident memory of all workers.", status.now(.memory))
        gauge("start_time_seconds", "When the service started, since 1970.", status.events.started)
    }

    private mutating func counter(_ name: String, _ help: String, _ value: Int) {
        declare(name, "counter", help)
        line("\(name)_total", "", "\(value)")
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        declare(name, "gauge", help)
        line(name, "", "\(value)")
    }

    private mutating func declare(_ name: String, _ type: String, _ help: String, unit: String? = nil) {
        text += "# TYPE aktify_\(name) \(type)\n"
        if let unit { text += "# UNIT aktify_\(name) \(unit)\n" }
        text += "# HELP aktify_\(name) \(help)\n"
    }

    private mutating func line(_ name: String, _ labels: String, _ value: String) {
        text += "aktify_\(name)" + (labels.isEmpty ? "" : "{\(labels)}") + " \(value)\n"
    }
}

/// Histograms of the same name, added up.
private struct Sums {
    struct Sum {
        var nanoseconds = 0
        var counts = [Int](repeating: 0, count: Histogram.bounds.count + 1)
    }

    private(set) var values: [String: Sum] = [:]

    init(_ histograms: [Histogram]) {
        for histogram in histograms {
            var sum = values[histogram.name] ?? Sum()
            sum.nanoseconds += histogram.sum
            sum.counts = zip(sum.counts, histogram.counts).map { $0 + $1 }
            values[histogram.name] = sum
        }
    }
}
