import TestSupport

/// Checks all exchanges of a round for violations of the service's guarantees.
struct Judge {
    let plan: Plan
    let exchanges: [Exchange]
    let rows: [String: (count: Int, id: Int)]
    let downtimes: [ClosedRange<Double>]
    /// The maximum by which a thread of this program overslept a sleep of 5 ms, in seconds: the delay that the machine
    /// itself causes.
    let noise: Double

    var violations: [String] {
        grouped(exchanges.compactMap { problem(of: $0).map { ($0, $1) } ?? nil }) + delays + waits + starvation
    }

    /// Groups problems: one line for each kind, with an example.
    private func grouped(_ problems: [(String, Exchange)]) -> [String] {
        Dictionary(grouping: problems) { $0.0 }.sorted { $0.key < $1.key }.map { problem, cases in
            let example = cases[0].1
            var text =
                "\(cases.count) x \(problem), such as \(example.route) \(example.token) by \(example.transport) after "
            text += "\(example.seconds.rounded2) s"
            if case .answered(let answer) = example.outcome {
                text += ": \(answer.body.prefix(160))".replacing("\n", with: "")
            }
            if case .cut(let how) = example.outcome { text += ": \(how)" }
            return text
        }
    }

    private func kind(_ exchange: Exchange) -> String {
        exchange.route.isWrite ? "a write" : exchange.route.isRead ? "a read" : "a request that needs no database"
    }

    private func problem(of exchange: Exchange) -> (String, Exchange)? {
        let text: String? =
            switch exchange.outcome {
            case .answered(let answer): problem(of: exchange, answer)
            case .cut: isCutAllowed(exchange) ? problem(ofRowsOf: exchange, 0...1) : "\(kind(exchange)) was cut"
            case .timedOut: "\(kind(exchange)) got no response"
            case .abandoned: problem(ofRowsOf: exchange, 0...1)
            }
        return text.map { ($0, exchange) }
    }

    private func problem(of exchange: Exchange, _ answer: Answer) -> String? {
        let (route, status) = (exchange.route, answer.status)
        guard answer.headers["x-request-id"] == exchange.token else {
            return
                "\(kind(exchange)) got the response of another request, \(status) for \(answer.headers["x-request-id"] ?? "none")"
        }
        guard isAllowed(status, exchange) else { return "\(kind(exchange)) got \(status)" }
        let hasRetry = answer.headers["retry-after"] != nil
        if status == 503, !hasRetry { return "\(kind(exchange)) got 503 without Retry-After" }
        guard route.isWrite else { return problem(ofRowsOf: exchange, 0...0) }
        switch status {
        case 201:
            guard answer.body.contains(#""name":"\#(exchange.token)""#) else {
                return "a 201 contains the row of another request"
            }
            return problem(ofRowsOf: exchange, 1...1)
        case 502, 504:
            return hasRetry ? "a write got \(status) with Retry-After" : problem(ofRowsOf: exchange, 0...1)
        default: return problem(ofRowsOf: exchange, 0...0)
        }
    }

    private func problem(ofRowsOf exchange: Exchange, _ allowed: ClosedRange<Int>) -> String? {
        let count = rows[exchange.token]?.count ?? 0
        guard !allowed.contains(count) else { return nil }
        return "\(kind(exchange)) with status \(exchange.status) left \(count) rows"
    }

    private func isAbsent(_ exchange: Exchange) -> Bool {
        downtimes.contains { $0.overlaps(exchange.began...exchange.ended) }
    }

    private func isCutAllowed(_ exchange: Exchange) -> Bool {
        // A body that is too large is rejected, and the connection closed, while it is still being sent.
        if exchange.route == .tooLarge || plan.excuses.contains(.lostWorkers) { return true }
        // A streamed list is a snapshot of one session: if the session is lost, the response cannot be completed.
        if exchange.route == .list, !plan.excuses.isDisjoint(with: [.unavailable, .late]) { return true }
        // A request that a worker had accepted before TERM must be finished.
        if downtimes.contains(where: { $0.contains(exchange.began) }) { return true }
        return exchange.isReused && exchange.transport == .nginx && plan.has(.reloadNginx)
    }

    private func isAllowed(_ status: Int, _ exchange: Exchange) -> Bool {
        let (route, excuses) = (exchange.route, plan.excuses)
        if route.expected.contains(status) { return true }
        if exchange.transport == .nginx {
            if isAbsent(exchange), [502, 503].contains(status) { return true }
            if excuses.contains(.lostWorkers), [502, 503, 504].contains(status) { return true }
        }
        guard route.isRead || route.isWrite else { return false }
        switch status {
        case 503: return excuses.contains(.unavailable) || route.isWrite && excuses.contains(.busyWrites)
        case 502: return route.isWrite && excuses.contains(.unknown)
        case 504:
            return excuses.contains(.late) || route.isWrite && !excuses.isDisjoint(with: [.lateWrites, .unknown])
        default: return false
        }
    }

    // MARK: Time

    /// A violation if health checks took more than half a second plus twice the noise, whatever the load; otherwise
    /// empty. The two slowest are ignored.
    private var delays: [String] {
        guard !plan.has(.stopWorker, .killWorker, .fewDescriptors, .littleMemory, .terminateMaster) else { return [] }
        let times = exchanges.filter { $0.route == .health && $0.transport == .fastCGI }.map(\.seconds).sorted(by: >)
        let limit = 0.5 + 2 * noise
        guard times.count > 5, times[2] > limit else { return [] }
        return [
            "/healthz took \(times.prefix(3).map(\.rounded2).joined(separator: ", ")) s, more than \(limit.rounded2) s; "
                + "the machine's own delay was \(noise.rounded2) s"
        ]
    }

    /// A violation if a request was answered with 503 after almost a second, in a round whose faults, if any, only
    /// closed or delayed connections to Postgres; otherwise empty.
    private var waits: [String] {
        let isSimple = plan.faults.allSatisfy { [.terminate, .cut, .delay].contains($0.kind) }
        guard isSimple, noise < 0.3, !plan.clients.contains(where: { [.aborter, .hostile].contains($0) }) else {
            return []
        }
        let late = exchanges.filter { $0.status == 503 && $0.seconds > 0.9 }
        guard let first = late.first else { return [] }
        return [
            "\(late.count) requests waited a second although connections were available, such as \(first.token)"
        ]
    }

    /// A violation if, with one connection and as many readers as writers, reads or writes starved; otherwise empty.
    private var starvation: [String] {
        guard plan.connections == 1, plan.faults.isEmpty else { return [] }
        let (readers, writers) = (plan.clients.count { $0 == .reader }, plan.clients.count { $0 == .writer })
        guard readers > 0, readers == writers, !plan.clients.contains(.aborter) else { return [] }
        let reads = exchanges.count { $0.token.hasPrefix("reader") && $0.route.isRead && $0.status == 200 }
        let writes = exchanges.count { $0.token.hasPrefix("writer") && $0.status == 201 }
        guard min(reads, writes) * 15 < max(reads, writes) else { return [] }
        return ["with as many readers as writers, only \(reads) reads and \(writes) writes succeeded"]
    }
}
