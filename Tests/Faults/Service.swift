import Foundation
import Synchronization
import TestSupport

/// The master of a round, which can be stopped and restarted.
final class Service: Sendable {
    let stack: Stack
    let plan: Plan
    let log: String
    private let master: Mutex<Child>
    private let periods = Mutex<[ClosedRange<Double>]>([])
    private let found = Mutex<[String]>([])

    init(_ stack: Stack, _ plan: Plan) throws {
        (self.stack, self.plan) = (stack, plan)
        log = "\(stack.folder.path)/master-\(plan.seed).log"
        master = Mutex(try stack.startMaster(workers: plan.workers, connections: plan.connections, log: log))
    }

    var pid: pid_t { master.withLock { $0.pid } }
    var hasEnded: Bool { master.withLock { $0.hasEnded } }
    func signal(_ number: Int32) { master.withLock { $0.signal(number) } }

    /// The periods in which the master was stopping, down or starting, with the half second before TERM.
    var downtimes: [ClosedRange<Double>] { periods.withLock { $0 } }

    /// The violations that were observed.
    var violations: [String] { found.withLock { $0 } }
    func violation(_ text: String) { found.withLock { $0.append(text) } }

    /// Returns whether the planned number of workers is serving; waits for this for up to `limit` seconds.
    func isComplete(within limit: Double) -> Bool { waitFor(limit) { stack.serving().count == plan.workers } }

    /// How long a master may take to stop, in seconds. After its graceful timeout of ten seconds, the master kills its
    /// workers.
    static let stopTimeout = 12.0

    /// Stops the master, and checks how it exits.
    /// - Parameter toGroup: whether to signal the process group of the master. The signal must not reach the workers:
    ///   each worker has a process group of its own.
    func stop(toGroup: Bool = false) {
        let began = now()
        if toGroup { kill(-pid, SIGTERM) } else { signal(SIGTERM) }
        let child = master.withLock { $0 }
        let status = child.wait(seconds: Service.stopTimeout)
        if let status, status != 0 { violation("the master exited with \(status) after TERM") }
        if status == nil { violation("the master is still running \(Int(Service.stopTimeout)) s after TERM") }
        if FileManager.default.fileExists(atPath: stack.pidFile) { violation("the master did not remove its PID file") }
        waitFor(1) { Process.all(startedFrom: stack.link).isEmpty }
        let left = Process.all(startedFrom: stack.link)
        if status != nil, !left.isEmpty { violation("\(left.count) workers outlive their master") }
        child.signal(SIGKILL)
        stack.killRemains()
        waitFor(2) { Process.all(startedFrom: stack.link).isEmpty && child.hasEnded }
        unlink(stack.pidFile)
        periods.withLock { $0.append((began - 0.5)...now()) }
    }

    /// Stops the master, and starts another one after some seconds.
    func restart(toGroup: Bool, after seconds: Double) {
        stop(toGroup: toGroup)
        let began = now()
        pause(seconds)
        guard let child = try? stack.startMaster(workers: plan.workers, connections: plan.connections, log: log) else {
            return violation("the master cannot be restarted")
        }
        master.withLock { $0 = child }
        if !waitFor(8, { !stack.serving().isEmpty }) { violation("no worker is ready 8 s after the start") }
        periods.withLock { $0.append(began...now()) }
    }

    /// The log lines of the master and the workers with these levels.
    func events(_ levels: Set<String>) -> [String] {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let event = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
            return levels.contains(event?["level"] as? String ?? "") ? String(line) : nil
        }
    }
}
