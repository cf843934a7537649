import Scoreboard
import Testing

@testable import Supervisor
@testable import aktify

/// The OpenMetrics output for workers with given values in the scoreboard.
@Suite struct MetricsTests {
    private let scoreboard: SharedScoreboard

    init() throws { scoreboard = try #require(SharedScoreboard()) }

    /// Returns the lines of the OpenMetrics output for workers that have these slots in the scoreboard.
    private func metrics(of slots: [Int], events: Master.Events = Master.Events()) -> [Substring] {
        let workers = slots.map {
            Master.WorkerStatus(pid: 1, generation: 1, state: "Running", slot: scoreboard.slot($0))
        }
        let status = Master.Status(
            events: events, generation: 1, target: workers.count, isReloading: false, queue: nil, workers: workers,
            past: scoreboard.past)
        return OpenMetrics(status).text.split(separator: "\n")
    }

    @Test func `workers whose database is unavailable are counted`() {
        #expect(metrics(of: [1, 2, 3]).contains("aktify_workers_without_database 0"))
        scoreboard.slot(1)[.databaseUnreachable] = 1
        scoreboard.slot(3)[.databaseUnreachable] = 1
        #expect(metrics(of: [1, 2, 3]).contains("aktify_workers_without_database 2"))
    }

    @Test func `pending revisions are not summed, since all workers count the same ones`() {
        scoreboard.slot(1)[.pendingRevisions] = 2
        scoreboard.slot(2)[.pendingRevisions] = 2
        #expect(metrics(of: [1, 2]).contains("aktify_pending_revisions 2"))
        #expect(metrics(of: []).contains("aktify_pending_revisions 0"))
    }

    @Test func `a worker that has exited counts neither for the database nor for pending revisions`() {
        (scoreboard.slot(1)[.databaseUnreachable], scoreboard.slot(1)[.pendingRevisions]) = (1, 2)
        scoreboard.retire(1)
        let metrics = metrics(of: [1])
        #expect(metrics.contains("aktify_workers_without_database 0") && metrics.contains("aktify_pending_revisions 0"))
    }

    @Test func `a worker that is starting does not lower the number of replicas in use`() {
        (scoreboard.slot(1)[.replicas], scoreboard.slot(1)[.replicasInUse]) = (2, 2)
        #expect(metrics(of: [1, 2]).contains("aktify_replicas_in_use 2"))
        (scoreboard.slot(2)[.replicas], scoreboard.slot(2)[.replicasInUse]) = (2, 0)
        #expect(metrics(of: [1, 2]).contains("aktify_replicas_in_use 0"))
    }

    @Test func `whether a reload failed depends on the last one only`() {
        var events = Master.Events()
        #expect(metrics(of: [], events: events).contains("aktify_last_reload_failed 0"))
        events.reloadEnded("the schema is behind")
        #expect(metrics(of: [], events: events).contains("aktify_last_reload_failed 1"))
        events.reloadEnded(nil)
        let metrics = metrics(of: [], events: events)
        #expect(metrics.contains("aktify_last_reload_failed 0") && metrics.contains("aktify_failed_reloads_total 1"))
    }
}
