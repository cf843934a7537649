import TestSupport

/// A round: runs load and faults, checks the recovery, and collects the findings.
struct Round {
    let plan: Plan
    let stack: Stack

    struct Findings {
        var violations: [String]
        let requests: Int
        let exchanges: [Exchange]
        let statuses: [Int: Int]
        let seconds: Double
        /// The time at which the last fault ended, in seconds.
        var lastFaultEnd = 0.0
        /// The longest scheduling delay of a thread of this program, in seconds.
        var noise = 0.0
    }

    func run() throws -> Findings {
        let began = now()
        try stack.cluster.reset()
        _ = stack.proxy.takeInterleavings()
        let service = try Service(stack, plan)
        guard service.isComplete(within: 10) else {
            service.stop()
            return Findings(
                violations: ["the service did not start"], requests: 0, exchanges: [], statuses: [:],
                seconds: now() - began)
        }
        _ = RecoveryCheck(service: service).problems()
        pause(0.3)
        let before = ResourceUsage(service)
        let (load, isJoined, lastFaultEnd, noise) = runLoad(service)
        var violations = isJoined ? [] : ["clients wait for responses forever"]
        violations += afterwards(service, lastFaultEnd, before)
        violations += logged(service)
        service.stop()
        let judge = Judge(
            plan: plan, exchanges: load.ledger.all, rows: try stack.cluster.rows(), downtimes: service.downtimes,
            noise: noise)
        violations += judge.violations + service.violations + interleavings()
        return Findings(
            violations: violations, requests: load.ledger.all.count, exchanges: load.ledger.all,
            statuses: load.ledger.statuses, seconds: now() - began, lastFaultEnd: lastFaultEnd, noise: noise)
    }

    private func runLoad(_ service: Service) -> (Load, Bool, Double, Double) {
        let noise = Noise()
        let load = Load(stack, plan.clients, seed: plan.seed)
        let (end, injector) = (now() + plan.seconds, Injector(service))
        while now() < end, !isInterrupted.load(ordering: .relaxed) { pause(0.05) }
        let lastFaultEnd = injector.finish()
        return (load, load.stop(), lastFaultEnd, noise.stop())
    }

    /// Checks that the service has recovered within two seconds of the last fault, and that the service, once idle
    /// again, does not use more resources than `before` allows.
    private func afterwards(_ service: Service, _ lastFaultEnd: Double, _ before: ResourceUsage) -> [String] {
        guard !service.hasEnded else { return ["the master has exited"] }
        pause(lastFaultEnd + 2 - now())
        var violations = RecoveryCheck(service: service).problems()
        if stack.status() == nil { violations.append("the master does not report its status") }
        restoreWorkers(service)
        if !service.isComplete(within: 12) {
            violations.append("\(stack.serving().count) workers are serving, not \(plan.workers)")
        }
        var excess: [String] = []
        waitFor(6) {
            excess = ResourceUsage(service).excess(over: before, plan)
            return excess.isEmpty
        }
        return violations + excess
    }

    /// Restores the planned number of workers after faults that have added or removed some with TTIN or TTOU.
    private func restoreWorkers(_ service: Service) {
        guard plan.has(.more, .fewer) else { return }
        for _ in 0..<20 {
            let count = stack.serving().count
            if count == plan.workers { return }
            service.signal(count < plan.workers ? Signal.oneMore : Signal.oneLess)
            waitFor(2) { stack.serving().count != count }
        }
    }

    private func interleavings() -> [String] {
        let found = stack.proxy.takeInterleavings()
        return found.isEmpty ? [] : ["\(found.count) x \(found[0])"]
    }

    private func logged(_ service: Service) -> [String] {
        let errors = service.events(["error", "critical"])
        let never = errors.filter { $0.contains("a lease ended with an open transaction") || $0.contains("stuck") }
        let deaths = errors.filter { $0.contains("a worker died") || $0.contains("a worker crashed") }
        if !plan.excuses.contains(.errors), let first = errors.first {
            return ["\(errors.count) errors in the log: \(first)"]
        }
        if !plan.excuses.contains(.lostWorkers), !plan.has(.badReload), let first = deaths.first {
            return ["\(deaths.count) workers died: \(first)"]
        }
        return never.first.map { ["\(never.count) errors in the log: \($0)"] } ?? []
    }
}
