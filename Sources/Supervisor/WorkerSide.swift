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

    /// Opens this process's slot on the master's scoreboard, without attaching the process to the master.
    /// - Returns: `nil` when there is no master, or no usable scoreboard.
    public static func slot(environment: [String: String]) -> Slot? {
        // A duplicate, since the descriptor itself must stay open when this process re-executes itself.
        guard let index = environment[slot].flatMap({ Int($0) }), (1..<SharedScoreboard.capacity).contains(index),
            let scoreboard = SharedScoreboard(
                descriptor: fcntl(WorkerProcess.scoreboardDescriptor, F_DUPFD_CLOEXEC, 0))
        else { return nil }
        return scoreboard.slot(index)
    }

    /// Makes this process receive SIGTERM when its master terminates, and report crashes to the master. Ends this
    /// process when the master has terminated already. Does nothing when this process was not started by a master.
    /// - Returns: The worker's slot on the master's scoreboard; `nil` when there is no master, or no usable scoreboard.
    public static func attachToMaster(environment: [String: String]) -> Slot? {
        guard let master = environment[master].flatMap({ pid_t($0) }) else { return nil }
        _ = set_parent_death_signal(SIGTERM)
        // The master may have exited before the call above: this process would not receive the signal then.
        if getppid() != master { exit(0) }
        let descriptors = [
            WorkerProcess.pipeDescriptor, WorkerProcess.scoreboardDescriptor, WorkerProcess.crashDescriptor,
        ]
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        report_crashes(WorkerProcess.pipeDescriptor, WorkerProcess.crashDescriptor)
        return slot(environment: environment)
    }

    /// Notifies the master that this worker is ready to serve requests.
    public static func notifyReady() {
        var byte: UInt8 = 1
        _ = write(WorkerProcess.pipeDescriptor, &byte, 1)
    }
}
