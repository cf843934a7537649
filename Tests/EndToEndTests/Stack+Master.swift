import Foundation
import TestSupport
import Testing

/// Stacks that run a master instead of a single worker.
extension Stack {
    /// Starts a master, inserts the first campaign, and waits until all workers are ready.
    convenience init(workers: Int, environment: [String: String] = [:], options: [String] = []) throws {
        try self.init(environment: environment, master: ["--workers", String(workers)] + options)
        try database.sql("INSERT INTO campaign (name) VALUES ('first')")
        try waitUntil("all are ready") { events("a worker is ready").count == workers }
    }

    /// The process ids of the master's children.
    func workers() throws -> [pid_t] {
        try runToEnd(["pgrep", "-P", String(worker.pid)]).output.split(separator: "\n").compactMap { pid_t($0) }
    }

    /// Reloads the master, after any previous reload has finished.
    func reload(by signal: Int32 = SIGHUP, times: Int = 1) throws {
        for _ in 0..<times {
            let before = events("the reload is complete").count
            worker.signal(signal)
            try waitUntil("it is reloaded: \(worker.log)") { events("the reload is complete").count > before }
        }
    }

    // MARK: Status and log

    /// The workers in the master's status report.
    func processes() throws -> [(pid: pid_t, state: String, generation: Int)] {
        let processes = try #require(status()["processes"] as? [[String: Any]])
        return try processes.map {
            (
                pid_t(try #require($0["pid"] as? Int)), try #require($0["state"] as? String),
                try #require($0["generation"] as? Int)
            )
        }
    }

    /// The time from the first event with one message to the last event with another, in milliseconds.
    func milliseconds(from first: String, to last: String) throws -> Double {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let times = try [events(first).first, events(last).last].map { event in
            let time = try #require(event?["time"] as? String)
            return try #require(formatter.date(from: time))
        }
        return times[1].timeIntervalSince(times[0]) * 1000
    }

    /// Sends a request to the status socket of the master.
    func askMaster(_ target: String) throws -> Answer {
        let socket = try Socket(path: "\(folder.path)/status.sock")
        socket.send(Records.request("GET", target))
        return readResponse(from: socket)
    }

    /// The full status report, with the requests in progress.
    func status() throws -> [String: Any] {
        let answer = try askMaster("/status?full")
        return try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any] ?? [:]
    }

    /// Returns the value of each metric, keyed by the name and labels of the metric, such as `name{label="value"}`.
    func metrics() throws -> [String: Double] {
        var metrics: [String: Double] = [:]
        for line in try askMaster("/status?openmetrics").body.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            metrics[parts[0...(parts.count - 2)].joined(separator: " ")] = Double(parts[parts.count - 1])
        }
        return metrics
    }

    /// The log events with this message.
    func events(_ message: String) -> [[String: Any]] {
        worker.log.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }.filter { $0["message"] as? String == message }
    }
}
