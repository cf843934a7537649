import Foundation
import Synchronization
import TestSupport

/// The master of a round, which is ended and started again.
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

    /// When it was away, or about to be.
    var absences: [ClosedRange<Double>] { periods.withLock { $0 } }

    /// What was seen that should not have been.
    var violations: [String] { found.withLock { $0 } }
    func violation(_ text: String) { found.withLock { $0.append(text) } }

    /// Waits until as many workers serve as there should be.
    func isComplete(within limit: Double) -> Bool { waitFor(limit) { stack.serving().count == plan.workers } }

    /// How long a master may take to end: a statement's time, and what nginx keeps.
    static let patience = 12.0

    /// Ends the master, and looks how.
    /// - Parameter toGroup: whether the workers, too, would be told if they were in its process group.
    func stop(toGroup: Bool = false) {
        let began = now()
        if toGroup { kill(-pid, SIGTERM) } else { signal(SIGTERM) }
        let child = master.withLock { $0 }
        let status = child.wait(seconds: Service.patience)
        if let status, status != 0 { violation("the master exited with \(status) after TERM") }
        if status == nil { violation("the master goes on \(Int(Service.patience)) s after TERM") }
        if FileManager.default.fileExists(atPath: stack.pidFile) { violation("the master left its pid file") }
        waitFor(1) { Process.all(startedFrom: stack.link).isEmpty }
        let left = Process.all(startedFrom: stack.link)
        if status != nil, !left.isEmpty { violation("\(left.count) workers outlive their master") }
        kill(child.pid, SIGKILL)
        stack.killRemains()
        waitFor(2) { Process.all(startedFrom: stack.link).isEmpty && child.hasEnded }
        unlink(stack.pidFile)
        periods.withLock { $0.append((began - 0.5)...now()) }
    }

    /// Ends the master, and starts another one a little later.
    func restart(toGroup: Bool, after seconds: Double) {
        stop(toGroup: toGroup)
        let began = now()
        pause(seconds)
        guard let child = try? stack.startMaster(workers: plan.workers, connections: plan.connections, log: log) else {
            return violation("the master cannot be started again")
        }
        master.withLock { $0 = child }
        if !waitFor(8, { !stack.serving().isEmpty }) { violation("no worker is ready 8 s after the start") }
        periods.withLock { $0.append(began...now()) }
    }

    /// What the master and the workers have logged, from a level on.
    func events(_ levels: Set<String>) -> [String] {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let event = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
            return levels.contains(event?["level"] as? String ?? "") ? String(line) : nil
        }
    }
}
