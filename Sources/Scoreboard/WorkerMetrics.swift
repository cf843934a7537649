import CLinux
import Glibc

/// Writes one loop's doings to a slot.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
public final class WorkerMetrics: @unchecked Sendable {
    /// Where it writes to.
    public let slot: Slot
    private var free: [RequestActivity] = []
    private var placesTaken = 0
    private var requests: [(key: Key, histogram: Histogram)] = []
    let queries: Histogram?
    let waits: Histogram?
    private let others: Histogram?

    private struct Key: Equatable {
        let route: String?
        let method: String
        let status: Int
    }

    /// Makes one for the loop whose thread it is made on, and for a slot, which is empty; for memory of its own, when there is none.
    public init(_ slot: Slot? = nil) {
        // Sound: a process that cannot have 8 MB of address space cannot serve either.
        self.slot = slot ?? SharedScoreboard()!.slot(1)
        queries = self.slot.histogram(named: "query_duration_seconds")
        waits = self.slot.histogram(named: "pool_wait_seconds")
        others = self.slot.histogram(named: WorkerMetrics.name(Key(route: "other", method: "other", status: 0)))
        self.slot[.started] = time(nil)
        self.slot[.thread] = Int(thread_id())
    }

    /// Notes that a connection was accepted.
    public func accepted() { slot[.accepted] += 1 }

    /// Notes that a request begins.
    /// - Parameter time: now, in nanoseconds of the monotonic clock.
    /// - Returns: what is to be given back to `end`.
    public func begin(at time: Int) -> RequestActivity {
        slot[.requests] += 1
        slot[.active] += 1
        if slot[.active] > slot[.mostActive] { slot[.mostActive] = slot[.active] }
        let activity = next()
        activity.begin(at: time)
        return activity
    }

    /// Shows a request in another place, because a task that nobody waits for still writes to the present one.
    /// - Returns: the new place; the old one is to be given back when that task has ended.
    public func replace(_ activity: RequestActivity) -> RequestActivity {
        let next = next()
        next.copy(activity)
        activity.end()
        return next
    }

    /// Takes back a place that was replaced.
    public func giveBack(_ activity: RequestActivity) { free.append(activity) }

    private func next() -> RequestActivity {
        if let activity = free.popLast() { return activity }
        guard placesTaken < RequestActivity.places else { return RequestActivity(nil, self) }
        placesTaken += 1
        return RequestActivity(slot.record(placesTaken - 1), self)
    }

    /// Notes that a request ends.
    /// - Parameters:
    ///   - route: the path of its route; `nil` when it has none.
    ///   - status: what it was answered with; 499 when its client was gone, as nginx says it.
    public func end(_ activity: RequestActivity, at time: Int, route: String?, method: String, status: Int) {
        histogram(Key(route: route, method: method, status: status))?.observe(time - activity.began)
        slot[.active] -= 1
        activity.end()
        giveBack(activity)
    }

    private func histogram(_ key: Key) -> Histogram? {
        for entry in requests where entry.key == key { return entry.histogram }
        guard let histogram = slot.histogram(named: WorkerMetrics.name(key)) ?? others else { return nil }
        // Methods are the client's own words: what has no place is counted as other.
        if requests.count < Histogram.capacity { requests.append((key, histogram)) }
        return histogram
    }

    private static let methods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
    ]

    private static func name(_ key: Key) -> String {
        let method = methods.contains(key.method) ? key.method : "other"
        return
            "request_duration_seconds{route=\"\(key.route ?? "none")\",method=\"\(method)\",status=\"\(key.status)\"}"
    }
}
