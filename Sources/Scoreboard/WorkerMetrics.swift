import CLinux
import Glibc

/// Records the metrics of one event loop in a scoreboard slot.
///
/// The conformance to `@unchecked Sendable` is sound: the metrics are used on their loop's thread only.
public final class WorkerMetrics: @unchecked Sendable {
    /// The slot that the metrics are written to.
    public let slot: Slot
    private var unusedActivities: [RequestActivity] = []
    private var recordsUsed = 0
    private var requestHistograms: [(key: Key, histogram: Histogram)] = []
    let queries: Histogram?
    let waits: Histogram?
    private let otherRequests: Histogram?

    private struct Key: Equatable {
        let route: String?
        let method: String
        let status: Int
    }

    /// Creates metrics for the loop on whose thread the caller runs.
    /// - Parameter slot: The slot to write the metrics to, which must be empty; when it is `nil`, private memory is
    ///   used.
    public init(_ slot: Slot? = nil) {
        // Sound: a process that cannot map 8 MB of memory cannot serve requests either.
        self.slot = slot ?? SharedScoreboard()!.slot(1)
        queries = self.slot.histogram(named: "query_duration_seconds")
        waits = self.slot.histogram(named: "pool_wait_seconds")
        otherRequests = self.slot.histogram(named: WorkerMetrics.otherName)
        self.slot[.started] = time(nil)
        self.slot[.thread] = Int(thread_id())
    }

    /// Counts an accepted connection.
    public func accepted() { slot[.accepted] += 1 }

    /// Counts a request that begins to arrive.
    /// - Parameter time: The current time, in nanoseconds of the monotonic clock.
    /// - Returns: The request's activity, to be passed to `end`.
    public func begin(at time: Int) -> RequestActivity {
        slot[.requests] += 1
        slot[.active] += 1
        if slot[.active] > slot[.peakActive] { slot[.peakActive] = slot[.active] }
        let activity = nextRecord()
        activity.begin(at: time)
        return activity
    }

    /// Moves a request that has timed out to a new activity record, because the request's cancelled task may still
    /// write to the current record.
    /// - Returns: The new activity. Pass the old one to `reuse` when the cancelled task has ended.
    public func replace(_ activity: RequestActivity) -> RequestActivity {
        let next = nextRecord()
        next.copy(activity)
        activity.end()
        return next
    }

    /// Makes an activity whose record is in the slot available for another request. An activity with private memory is
    /// discarded, so that a later request uses a record in the slot when one is free.
    public func reuse(_ activity: RequestActivity) { if activity.isShared { unusedActivities.append(activity) } }

    /// Returns an unused activity: with a record in the slot, or with private memory when all records are in use.
    private func nextRecord() -> RequestActivity {
        if let activity = unusedActivities.popLast() { return activity }
        guard recordsUsed < RequestActivity.capacity else { return RequestActivity(nil, self) }
        recordsUsed += 1
        return RequestActivity(slot.record(recordsUsed - 1), self)
    }

    /// Records the end of a request and its duration.
    /// - Parameters:
    ///   - activity: The activity that `begin` or `replace` returned.
    ///   - time: The current time, in nanoseconds of the monotonic clock.
    ///   - route: The path of the matched route; `nil` when there is none.
    ///   - method: The request method.
    ///   - status: The response's status code; 499 when the client closed the connection, as in nginx.
    public func end(_ activity: RequestActivity, at time: Int, route: String?, method: String, status: Int) {
        histogram(Key(route: route, method: method, status: status))?.observe(time - activity.began)
        slot[.active] -= 1
        activity.end()
        reuse(activity)
    }

    private func histogram(_ key: Key) -> Histogram? {
        for entry in requestHistograms where entry.key == key { return entry.histogram }
        guard let histogram = slot.histogram(named: WorkerMetrics.name(key)) ?? otherRequests else { return nil }
        // Clients can send any method: a combination for which no histogram is left is counted as "other".
        if requestHistograms.count < Histogram.capacity { requestHistograms.append((key, histogram)) }
        return histogram
    }

    /// The name of the histogram of the requests for which no separate histogram is left.
    static let otherName = name(Key(route: "other", method: "other", status: 0))

    private static let methods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
    ]

    /// Returns the name of a histogram of requests, with a route that is truncated if the name would not fit.
    private static func name(_ key: Key) -> String {
        let method = methods.contains(key.method) ? key.method : "other"
        let (head, tail) = ("request_duration_seconds{route=\"", "\",method=\"\(method)\",status=\"\(key.status)\"}")
        var route = key.route ?? "none"
        while head.utf8.count + route.utf8.count + tail.utf8.count > Histogram.nameBytes { route.removeLast() }
        return head + route + tail
    }
}
