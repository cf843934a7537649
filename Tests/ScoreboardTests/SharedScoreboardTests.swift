import CLinux
import Glibc
import Testing

@testable import Scoreboard

/// Metrics that one process writes and another reads.
@Suite struct SharedScoreboardTests {
    private let scoreboard: SharedScoreboard

    init() throws { scoreboard = try #require(SharedScoreboard()) }

    /// Maps the same memory once more, as another process does.
    private func mappedAgain() throws -> SharedScoreboard {
        try #require(SharedScoreboard(descriptor: dup(scoreboard.descriptor)))
    }

    @Test func `another process sees the numbers and the requests in progress`() throws {
        let metrics = WorkerMetrics(scoreboard.slot(3))
        let other = try mappedAgain().slot(3)
        metrics.accepted()
        let activity = metrics.begin(at: 1000)
        #expect(other.activeRequests.map(\.phase) == [.reading])
        activity.arrived(method: "GET", target: "/campaigns/1", id: "abc", bodyBytes: 7)
        activity.beginQuery("SELECT 1")
        #expect(other[.accepted] == 1 && other[.requests] == 1 && other[.active] == 1)
        let report = try #require(other.activeRequests.first)
        #expect(
            report.method == "GET" && report.target == "/campaigns/1" && report.id == "abc" && report.bodyBytes == 7)
        #expect(report.phase == .inQuery && report.query == "SELECT 1" && report.began == 1000)
        activity.endQuery(waited: 2000, executed: 5000)
        #expect(
            other.activeRequests.map(\.databaseMicroseconds) == [7] && other.activeRequests.map(\.phase) == [.working])
        metrics.end(activity, at: 3000, route: "/campaigns/<id>", method: "GET", status: 200)
        #expect(other.activeRequests.isEmpty && other[.active] == 0 && other[.peakActive] == 1)
        _ = metrics.begin(at: 4000)
        #expect(other.activeRequests.map(\.bodyBytes) == [0], "the next request has not declared a body")
    }

    @Test func `long fields are truncated, and requests beyond the capacity are still counted`() {
        let metrics = WorkerMetrics(scoreboard.slot(1))
        let all = (0..<100).map { metrics.begin(at: $0 + 1) }
        all[0].arrived(method: "GET", target: String(repeating: "ä", count: 500), id: "", bodyBytes: 0)
        #expect(scoreboard.slot(1).activeRequests.count == 64 && scoreboard.slot(1)[.active] == 100)
        #expect(scoreboard.slot(1).activeRequests[0].target == String(repeating: "ä", count: 96))
        for activity in all { metrics.end(activity, at: 1000, route: nil, method: "GET", status: 404) }
        #expect(scoreboard.slot(1).activeRequests.isEmpty && scoreboard.slot(1)[.active] == 0)
    }

    @Test func `requests are counted by route, method, status and duration`() throws {
        let metrics = WorkerMetrics(scoreboard.slot(1))
        for (duration, status) in [(400_000, 200), (3_000_000, 200), (20_000_000_000, 200), (1, 404)] {
            let activity = metrics.begin(at: 1)
            metrics.end(activity, at: 1 + duration, route: "/campaigns/<id>", method: "GET", status: status)
        }
        let name = "request_duration_seconds{route=\"/campaigns/<id>\",method=\"GET\",status=\"200\"}"
        let histogram = try #require(scoreboard.slot(1).histograms.first { $0.name == name })
        #expect(histogram.sum == 20_003_400_000)
        #expect(histogram.counts == [1, 0, 0, 1] + Array(repeating: 0, count: 10) + [1])
    }

    @Test func `arbitrary methods sent by clients do not exhaust the histograms`() {
        let metrics = WorkerMetrics(scoreboard.slot(1))
        for index in 0..<1000 {
            let activity = metrics.begin(at: 1)
            metrics.end(activity, at: 2, route: nil, method: "M\(index)", status: 400 + index)
        }
        let counted = scoreboard.slot(1).histograms.filter { $0.name.hasPrefix("request") }.flatMap(\.counts).reduce(
            0, +)
        #expect(counted == 1000 && Array(scoreboard.slot(1).histograms).count == Histogram.capacity)
    }

    @Test func `the counts of a worker that has ended are retained`() throws {
        for slot in [2, 3] {
            let metrics = WorkerMetrics(scoreboard.slot(slot))
            let activity = metrics.begin(at: 1)
            activity.endQuery(waited: 0, executed: 1)
            metrics.end(activity, at: 2, route: "/", method: "GET", status: 200)
            _ = metrics.begin(at: 1)
            scoreboard.retire(slot)
        }
        #expect(scoreboard.past[.requests] == 4 && scoreboard.past[.peakActive] == 1)
        #expect(scoreboard.past.histograms.first { $0.name.hasPrefix("query") }?.counts[0] == 2)
        #expect(
            scoreboard.slot(2)[.requests] == 0 && scoreboard.slot(2).activeRequests.isEmpty
                && Array(scoreboard.slot(2).histograms).isEmpty)
    }

    @Test func `after a peak, requests are visible again as soon as records are free`() {
        let metrics = WorkerMetrics(scoreboard.slot(1))
        let all = (0...RequestActivity.capacity).map { metrics.begin(at: $0 + 1) }
        for activity in all { metrics.end(activity, at: 1000, route: nil, method: "GET", status: 200) }
        _ = metrics.begin(at: 2000)
        #expect(scoreboard.slot(1).activeRequests.map(\.began) == [2000])
    }

    @Test func `the name of a histogram ends with its labels, also if the route is long`() {
        let metrics = WorkerMetrics(scoreboard.slot(1))
        for status in [200, 404] {
            let activity = metrics.begin(at: 1)
            let route = "/" + String(repeating: "ä", count: 100)
            metrics.end(activity, at: 2, route: route, method: "GET", status: status)
        }
        let names = scoreboard.slot(1).histograms.map(\.name).filter { $0.contains("/ä") }
        #expect(names.count == 2 && Set(names.map(\.utf8.count)).count == 1)
        #expect(names.contains { $0.hasSuffix("ä\",method=\"GET\",status=\"404\"}") })
    }

    @Test func `no count is lost when workers that have ended used more histograms than fit`() {
        for slot in [2, 3] {
            let metrics = WorkerMetrics(scoreboard.slot(slot))
            for index in 0..<80 {
                let activity = metrics.begin(at: 1)
                metrics.end(activity, at: 2, route: "/\(slot)/\(index)", method: "GET", status: 200)
            }
            scoreboard.retire(slot)
        }
        #expect(scoreboard.past.histograms.flatMap(\.counts).reduce(0, +) == 160)
    }

    @Test func `a request that timed out does not overwrite the next one`() {
        let metrics = WorkerMetrics(scoreboard.slot(1))
        let first = metrics.begin(at: 1)
        first.arrived(method: "GET", target: "/slow", id: "a", bodyBytes: 0)
        let second = metrics.replace(first)
        metrics.end(second, at: 2, route: nil, method: "GET", status: 504)
        let third = metrics.begin(at: 3)
        third.arrived(method: "GET", target: "/next", id: "b", bodyBytes: 0)
        first.beginQuery("SELECT late")
        #expect(
            scoreboard.slot(1).activeRequests.map(\.target) == ["/next"]
                && scoreboard.slot(1).activeRequests.map(\.query) == [""])
        metrics.reuse(first)
        metrics.end(third, at: 4, route: nil, method: "GET", status: 200)
        #expect(scoreboard.slot(1)[.active] == 0)
    }

    @Test func `memory of another size is not accepted as a scoreboard`() throws {
        let file = memfd_create("other", 0)
        defer { close(file) }
        #expect(SharedScoreboard(descriptor: file) == nil && SharedScoreboard(descriptor: -1) == nil)
    }
}
