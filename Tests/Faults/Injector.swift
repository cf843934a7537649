import Foundation
import Synchronization
import TestSupport

/// Injects the faults of a round, each at its time and on a separate thread.
final class Injector: Sendable {
    let service: Service
    private let threads = Threads()
    /// Held during faults that restart Postgres, freeze the postmaster, or alter or move the table `campaign`, so that
    /// only one of them happens at a time.
    private let postgres = NSLock()
    /// Serializes the faults that stop the master or change its environment file.
    private let master = NSLock()
    private let lastFaultEnd = Mutex(0.0)

    var stack: Stack { service.stack }
    var cluster: Cluster { service.stack.cluster }

    init(_ service: Service) {
        self.service = service
        let beginning = now()
        for fault in service.plan.faults {
            threads.start { [self] in
                pause(beginning + fault.start - now())
                guard !isInterrupted.load(ordering: .relaxed) else { return }
                var random = SeededGenerator(seed: fault.seed)
                do { try inject(fault, &random) } catch { note(error, of: fault) }
                lastFaultEnd.withLock { $0 = max($0, now()) }
            }
        }
    }

    /// Waits until all faults have ended.
    /// - Returns: the time at which the last one ended, in seconds; 0 without faults.
    func finish() -> Double {
        if !threads.join(60) { service.violation("a fault did not end") }
        return lastFaultEnd.withLock { $0 }
    }

    /// Prints an error of an injection if `FAULT_TRACE` is set. Such errors are expected: while Postgres is
    /// unavailable, the injector's own SQL statements fail, too.
    private func note(_ error: any Error, of fault: Fault) {
        if ProcessInfo.processInfo.environment["FAULT_TRACE"] != nil { print("    \(fault): \(error)") }
    }

    private func inject(_ fault: Fault, _ random: inout SeededGenerator) throws {
        switch fault.kind {
        case .terminate, .restartFast, .restartImmediate, .stopAndStart, .freezeBackends, .freezePostmaster,
            .lockWrites, .lockAll, .alterTable, .exhaustConnections, .fullDisk:
            try injectIntoPostgres(fault, &random)
        case .delay, .slowConnect, .trickle, .cut, .blackHole, .refuse: injectIntoProxy(fault, &random)
        default: try injectIntoProcesses(fault, &random)
        }
    }

    // MARK: Postgres

    private func injectIntoPostgres(_ fault: Fault, _ random: inout SeededGenerator) throws {
        switch fault.kind {
        case .terminate: try cluster.terminate(random.pick([0.5, 1, 1]))
        case .lockWrites: try cluster.lock("SHARE", seconds: fault.seconds)
        case .lockAll: try cluster.lock("ACCESS EXCLUSIVE", seconds: fault.seconds)
        case .alterTable: try postgres.withLock { try cluster.alterTable() }
        case .exhaustConnections:
            let sockets = cluster.exhaust()
            if random.chance(0.5) { stack.proxy.cut(1, &random) }
            pause(fault.seconds)
            withExtendedLifetime(sockets) {}
        case .freezeBackends: try freeze(try cluster.backends().filter { _ in random.chance(0.7) }, fault.seconds)
        case .freezePostmaster: try postgres.withLock { try freeze([cluster.postmaster], fault.seconds) }
        case .fullDisk: try postgres.withLock { try cluster.withFullDisk { pause(fault.seconds) } }
        case .restartFast: try postgres.withLock { try cluster.control("restart", "-m", "fast") }
        case .restartImmediate: try postgres.withLock { try cluster.control("restart", "-m", "immediate") }
        default:
            try postgres.withLock {
                try cluster.control("stop", "-m", random.pick(["fast", "immediate"]))
                pause(fault.seconds)
                try cluster.control("restart")
            }
        }
    }

    private func freeze(_ processes: [pid_t], _ seconds: Double) throws {
        for pid in processes where pid > 1 { kill(pid, SIGSTOP) }
        pause(seconds)
        for pid in processes where pid > 1 { kill(pid, SIGCONT) }
    }

    // MARK: The connections to Postgres

    private func injectIntoProxy(_ fault: Fault, _ random: inout SeededGenerator) {
        let proxy = stack.proxy
        let delay = random.seconds(0.001...0.02)
        switch fault.kind {
        case .cut: proxy.cut(random.pick([0.5, 1]), &random)
        case .delay: hold(fault, { $0.delay = delay }, { $0.delay = 0 })
        case .slowConnect: hold(fault, { $0.connectDelay = delay * 3 }, { $0.connectDelay = 0 })
        case .trickle: hold(fault, { $0.tricklesBytes = true }, { $0.tricklesBytes = false })
        case .blackHole: hold(fault, { $0.isBlackHole = true }, { $0.isBlackHole = false })
        default:
            proxy.change { $0.refuses = true }
            proxy.cut(1, &random)
            pause(fault.seconds)
            proxy.change { $0.refuses = false }
        }
    }

    private func hold(_ fault: Fault, _ begin: (inout Proxy.Mode) -> Void, _ end: (inout Proxy.Mode) -> Void) {
        stack.proxy.change(begin)
        pause(fault.seconds)
        stack.proxy.change(end)
    }

    // MARK: Processes

    private func injectIntoProcesses(_ fault: Fault, _ random: inout SeededGenerator) throws {
        switch fault.kind {
        case .reload: service.signal(SIGHUP)
        case .reexecute: service.signal(SIGUSR2)
        case .more: service.signal(Signal.oneMore)
        case .fewer: if stack.serving().count > 1 { service.signal(Signal.oneLess) }
        case .reloadNginx: stack.reloadNginx()
        case .badReload: reloadBadly(random.pick([SIGHUP, SIGUSR2]), seconds: fault.seconds)
        case .terminateMaster: terminateMaster(after: fault.seconds, &random)
        default: try injectIntoWorker(fault, &random)
        }
    }

    private func injectIntoWorker(_ fault: Fault, _ random: inout SeededGenerator) throws {
        let workers = stack.serving()
        guard !workers.isEmpty else { return }
        let worker = random.pick(workers)
        switch fault.kind {
        case .killWorker: kill(worker, SIGKILL)
        case .stopWorker: try freeze([worker], fault.seconds)
        case .littleMemory:
            try run(["prlimit", "--pid", String(worker), "--data=\(24 << 20):"])
            pause(fault.seconds)
            try run(["prlimit", "--pid", String(worker), "--data=unlimited:"])
        default:
            let open = Process(worker)?.descriptors ?? 0
            try run(["prlimit", "--pid", String(worker), "--nofile=\(open):1024"])
            pause(fault.seconds)
            try run(["prlimit", "--pid", String(worker), "--nofile=1024:1024"])
        }
    }

    private func reloadBadly(_ signal: Int32, seconds: Double) {
        master.withLock {
            stack.write(environment: "LOG_LEVEL=bogus\n")
            service.signal(signal)
            // Waits until the new program, or a new worker, has read it.
            pause(1 + seconds)
            stack.write(environment: "LOG_LEVEL=info\n")
            if service.hasEnded {
                service.violation("the master exited when it was to reload an invalid configuration")
            }
        }
    }

    /// Stops the master with TERM, often in the middle of a reload, and starts another one.
    private func terminateMaster(after seconds: Double, _ random: inout SeededGenerator) {
        let (reloads, wait, toGroup) = (random.chance(0.6), random.seconds(0...0.3), random.chance(0.3))
        master.withLock {
            if reloads {
                service.signal(random.pick([SIGHUP, SIGHUP, SIGUSR2]))
                pause(wait)
            }
            service.restart(toGroup: toGroup, after: seconds)
        }
    }
}
