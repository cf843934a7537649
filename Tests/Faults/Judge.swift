import TestSupport

/// Looks at all exchanges of a round, and tells which of them should not have been.
struct Judge {
    let plan: Plan
    let exchanges: [Exchange]
    let rows: [String: (count: Int, id: Int)]
    let absences: [ClosedRange<Double>]
    /// By how much a thread of this program that wanted to sleep 5 ms overslept, in seconds: what the machine is to blame for.
    let noise: Double

    var violations: [String] {
        grouped(exchanges.compactMap { problem(of: $0).map { ($0, $1) } ?? nil }) + delays + waits + starvation
    }

    /// One line for each kind of problem, with an example.
    private func grouped(_ problems: [(String, Exchange)]) -> [String] {
        Dictionary(grouping: problems) { $0.0 }.sorted { $0.key < $1.key }.map { problem, cases in
            let example = cases[0].1
            var text = "\(cases.count) x \(problem), such as \(example.route) \(example.token) by \(example.way) after "
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
            case .cut: isCutAllowed(exchange) ? problem(ofRowsOf: exchange, 0...1) : "\(kind(exchange)) was cut off"
            case .silent: "\(kind(exchange)) was never answered"
            case .abandoned: problem(ofRowsOf: exchange, 0...1)
            }
        return text.map { ($0, exchange) }
    }

    private func problem(of exchange: Exchange, _ answer: Answer) -> String? {
        let (route, status) = (exchange.route, answer.status)
        guard answer.headers["x-request-id"] == exchange.token else {
            return
                "\(kind(exchange)) got another one's answer, \(status) for \(answer.headers["x-request-id"] ?? "nobody")"
        }
        guard isAllowed(status, exchange) else { return "\(kind(exchange)) was answered \(status)" }
        let hasRetry = answer.headers["retry-after"] != nil
        if status == 503, !hasRetry { return "\(kind(exchange)) was answered 503 without Retry-After" }
        guard route.isWrite else { return problem(ofRowsOf: exchange, 0...0) }
        switch status {
        case 201:
            guard answer.body.contains(#""name":"\#(exchange.token)""#) else { return "a 201 has another one's row" }
            return problem(ofRowsOf: exchange, 1...1)
        case 502, 504:
            return hasRetry ? "a write was answered \(status) with Retry-After" : problem(ofRowsOf: exchange, 0...1)
        default: return problem(ofRowsOf: exchange, 0...0)
        }
    }

    private func problem(ofRowsOf exchange: Exchange, _ allowed: ClosedRange<Int>) -> String? {
        let count = rows[exchange.token]?.count ?? 0
        guard !allowed.contains(count) else { return nil }
        return "\(kind(exchange)) with status \(exchange.status) left \(count) rows"
    }

    private func isAbsent(_ exchange: Exchange) -> Bool {
        absences.contains { $0.overlaps(exchange.began...exchange.ended) }
    }

    private func isCutAllowed(_ exchange: Exchange) -> Bool {
        // The limit of a body is told, and the rest of it refused, while it is sent.
        if exchange.route == .tooLarge || plan.excuses.contains(.lostWorkers) { return true }
        // A list that streams is of one moment, which goes with the session: what was sent cannot be taken back, and is not gone on with.
        if exchange.route == .list, !plan.excuses.isDisjoint(with: [.unavailable, .late]) { return true }
        // Before TERM, it was in a worker's hands: it must be finished.
        if absences.contains(where: { $0.contains(exchange.began) }) { return true }
        return exchange.isReused && exchange.way == .nginx && plan.has(.reloadNginx)
    }

    private func isAllowed(_ status: Int, _ exchange: Exchange) -> Bool {
        let (route, excuses) = (exchange.route, plan.excuses)
        if route.expected.contains(status) { return true }
        if exchange.way == .nginx {
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

    /// Whether the process is well is answered at once, whatever others ask.
    private var delays: [String] {
        guard !plan.has(.stopWorker, .killWorker, .fewDescriptors, .littleMemory, .terminateMaster) else { return [] }
        let times = exchanges.filter { $0.route == .health && $0.way == .fastCGI }.map(\.seconds).sorted(by: >)
        let limit = 0.5 + 2 * noise
        guard times.count > 5, times[2] > limit else { return [] }
        return [
            "/healthz took \(times.prefix(3).map(\.rounded2).joined(separator: ", ")) s, not \(limit.rounded2) at most; "
                + "the machine's own delay was \(noise.rounded2) s"
        ]
    }

    /// A server that ends connections takes new ones at once: nobody waits in vain for as long as a second.
    private var waits: [String] {
        let isSimple = plan.faults.allSatisfy { [.terminate, .cut, .delay].contains($0.kind) }
        guard isSimple, noise < 0.3, !plan.clients.contains(where: { [.aborter, .hostile].contains($0) }) else {
            return []
        }
        let late = exchanges.filter { $0.status == 503 && $0.seconds > 0.9 }
        guard let first = late.first else { return [] }
        return [
            "\(late.count) requests waited a second for a connection that could have been had, such as \(first.token)"
        ]
    }

    /// With one connection, reads and writes take turns.
    private var starvation: [String] {
        guard plan.connections == 1, plan.faults.isEmpty else { return [] }
        let (readers, writers) = (plan.clients.count { $0 == .reader }, plan.clients.count { $0 == .writer })
        guard readers > 0, readers == writers, !plan.clients.contains(.aborter) else { return [] }
        let reads = exchanges.count { $0.token.hasPrefix("reader") && $0.route.isRead && $0.status == 200 }
        let writes = exchanges.count { $0.token.hasPrefix("writer") && $0.status == 201 }
        guard min(reads, writes) * 15 < max(reads, writes) else { return [] }
        return ["of as many readers as writers, \(reads) reads and \(writes) writes were answered"]
    }
}
