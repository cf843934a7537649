import CLinux
import Glibc
import Scoreboard

/// The worker's end of the connection to its master.
public enum WorkerSide {
    /// The names of the environment variables that contain the master's process id and the index of the worker's
    /// scoreboard slot.
    private static let master = "AKTIFY_MASTER"
    private static let slot = "AKTIFY_SLOT"

    static func variables(slot: Int) -> [String: String] { [master: String(getpid()), self.slot: String(slot)] }

    /// Whether this process was started by a master.
    public static func hasMaster(environment: [String: String]) -> Bool { environment[master] != nil }

    /// Makes this process receive SIGTERM when its master terminates, and report crashes to the master. Ends this
    /// process when the master has terminated already. Does nothing when this process was not started by a master.
    /// - Returns: The worker's slot on the master's scoreboard; `nil` when there is no master, or no usable scoreboard.
    public static func attachToMaster(environment: [String: String]) -> Slot? {
        guard let master = environment[master].flatMap({ pid_t($0) }) else { return nil }
        _ = set_parent_death_signal(SIGTERM)
        // The master may have exited before the call above: this process would not receive the signal then.
        if getppid() != master { exit(0) }
        for descriptor in [WorkerProcess.pipeDescriptor, WorkerProcess.crashDescriptor] {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        report_crashes(WorkerProcess.pipeDescriptor, WorkerProcess.crashDescriptor)
        guard let scoreboard = SharedScoreboard(descriptor: WorkerProcess.scoreboardDescriptor),
            let slot = environment[slot].flatMap({ Int($0) }),
            (1..<SharedScoreboard.capacity).contains(slot)
        else { return nil }
        return scoreboard.slot(slot)
    }

    /// Notifies the master that this worker is ready to serve requests.
    public static func notifyReady() {
        var byte: UInt8 = 1
        _ = write(WorkerProcess.pipeDescriptor, &byte, 1)
    }
}
