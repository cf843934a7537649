import Scoreboard
import Supervisor

/// The status report in the OpenMetrics 1.0 text format. Counters and histograms include workers that have exited.
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
        "request_duration_seconds": "Time from the arrival of a request until its response was sent.",
        "query_duration_seconds": "Time from sending a statement until its result arrived.",
        "pool_wait_seconds": "Time that a statement waited for a connection before it was sent.",
    ]

    private mutating func writeHistograms() {
        let sums = HistogramSums(([status.past] + status.workers.map(\.slot)).flatMap { Array($0.histograms) })
        for (name, help) in OpenMetrics.help.sorted(by: { $0.key < $1.key }) {
            declare(name, "histogram", help, unit: "seconds")
            for (series, sum) in sums.values.sorted(by: { $0.key < $1.key }) where series.hasPrefix(name) {
                write(sum, name, labels: String(series.dropFirst(name.count).dropFirst().dropLast()))
            }
        }
    }

    private mutating func write(_ sum: HistogramSums.Sum, _ name: String, labels: String) {
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
        counter("requests", "Requests received.", status.total(.requests))
        counter("connections", "FastCGI connections accepted.", status.total(.accepted))
        counter("slow_requests", "Requests that took longer than SLOW_REQUEST_MS.", status.total(.slow))
        counter("replica_reads", "Reads sent to a replica.", status.total(.replicaReads))
        counter(
            "replica_retries", "Reads retried on another server.", status.total(.replicaRetries))
        counter("reloads", "Successful reloads.", status.events.reloads)
        counter("failed_reloads", "Reloads that failed, leaving the old workers running.", status.events.failedReloads)
        counter("respawns", "Workers started because one had exited or more were wanted.", status.events.respawns)
        counter("crashes", "Workers that exited unexpectedly.", status.events.crashes)
        counter("stuck", "Workers replaced because their event loop was blocked.", status.events.stuck)
        counter("recycled", "Workers recycled by --max-requests or --max-rss.", status.events.recycled)
    }

    private mutating func writeGauges() {
        gauge("workers", "Running workers.", status.workers.count)
        gauge("workers_wanted", "Configured number of workers.", status.target)
        gauge("generation", "Generation of the workers, which each reload increments.", status.generation)
        gauge("requests_active", "Requests in progress.", status.current(.active))
        gauge("listen_queue", "Connections in the accept queue of the listening socket.", status.queue?.length ?? 0)
        gauge("listen_queue_limit", "Limit of the accept queue (backlog).", status.queue?.limit ?? 0)
        gauge("pool_connections", "Open connections to the database.", status.current(.poolOpen))
        gauge("pool_idle", "Idle connections to the database.", status.current(.poolIdle))
        gauge("pool_leased", "Connections to the database leased exclusively to one task.", status.current(.poolLeased))
        gauge("pool_waiting", "Tasks waiting for a connection to the database.", status.current(.poolWaiting))
        gauge("replicas", "Configured replicas.", status.maximum(.replicas))
        gauge(
            "replicas_in_use", "Replicas that serve reads: the minimum over all workers.", status.replicasInUse)
        gauge(
            "workers_without_database", "Workers whose last poll of the database, every 5 s, failed.",
            status.current(.databaseUnreachable))
        gauge(
            "pending_revisions", "Pending revisions: those that the program has and the database lacks.",
            status.workers.reduce(0) { max($0, $1.slot[.pendingRevisions]) })
        gauge(
            "last_reload_failed", "Whether the last reload failed and the old workers keep running: 0 or 1.",
            status.events.recentReloads.last?.problem == nil ? 0 : 1)
        gauge("memory_bytes", "Resident memory of all workers.", status.current(.memory))
        gauge("start_time_seconds", "Unix time at which the service started.", status.events.started)
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

/// The histograms of all workers, including those that have exited, summed for each metric name and set of labels.
private struct HistogramSums {
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
