import TestSupport

/// Load, faults, calm, and then what is found.
struct Round {
    let plan: Plan
    let stack: Stack

    struct Findings {
        var violations: [String]
        let requests: Int
        let exchanges: [Exchange]
        let statuses: [Int: Int]
        let seconds: Double
        /// When the last fault was over, in seconds of the clock.
        var healed = 0.0
        /// The longest delay of a thread of this program's.
        var noise = 0.0
    }

    func run() throws -> Findings {
        let began = now()
        try stack.cluster.reset()
        _ = stack.proxy.takeMixtures()
        let service = try Service(stack, plan)
        guard service.isComplete(within: 10) else {
            service.stop()
            return Findings(
                violations: ["the service does not start"], requests: 0, exchanges: [], statuses: [:],
                seconds: now() - began)
        }
        _ = Calm(service: service).problems()
        pause(0.3)
        let before = Census(service)
        let (load, isJoined, healed, noise) = runLoad(service)
        var violations = isJoined ? [] : ["clients wait for answers for ever"]
        violations += afterwards(service, healed, before)
        violations += logged(service)
        service.stop()
        let judge = Judge(
            plan: plan, exchanges: load.ledger.all, rows: try stack.cluster.rows(), absences: service.absences,
            noise: noise)
        violations += judge.violations + service.violations + mixtures()
        return Findings(
            violations: violations, requests: load.ledger.all.count, exchanges: load.ledger.all,
            statuses: load.ledger.statuses, seconds: now() - began, healed: healed, noise: noise)
    }

    private func runLoad(_ service: Service) -> (Load, Bool, Double, Double) {
        let noise = Noise()
        let load = Load(stack, plan.clients, seed: plan.seed)
        let (end, injector) = (now() + plan.seconds, Injector(service))
        while now() < end, !isInterrupted.load(ordering: .relaxed) { pause(0.05) }
        let healed = injector.finish()
        return (load, load.stop(), healed, noise.stop())
    }

    /// Within two seconds of the last fault all is well again, and when nobody asks any more, nothing is left of the round.
    private func afterwards(_ service: Service, _ healed: Double, _ before: Census) -> [String] {
        guard !service.hasEnded else { return ["the master has ended"] }
        pause(healed + 2 - now())
        var violations = Calm(service: service).problems()
        if stack.status() == nil { violations.append("the master does not tell its status") }
        restoreWorkers(service)
        if !service.isComplete(within: 12) {
            violations.append("\(stack.serving().count) workers serve, not \(plan.workers)")
        }
        var excess: [String] = []
        waitFor(6) {
            excess = Census(service).excess(over: before, plan)
            return excess.isEmpty
        }
        return violations + excess
    }

    /// One signal for each worker that TTIN and TTOU have added or taken.
    private func restoreWorkers(_ service: Service) {
        guard plan.has(.more, .fewer) else { return }
        for _ in 0..<20 {
            let count = stack.serving().count
            if count == plan.workers { return }
            service.signal(count < plan.workers ? Signal.oneMore : Signal.oneLess)
            waitFor(2) { stack.serving().count != count }
        }
    }

    private func mixtures() -> [String] {
        let found = stack.proxy.takeMixtures()
        return found.isEmpty ? [] : ["\(found.count) x \(found[0])"]
    }

    private func logged(_ service: Service) -> [String] {
        let errors = service.events(["error", "critical"])
        let never = errors.filter { $0.contains("came back in a transaction") || $0.contains("stuck") }
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
