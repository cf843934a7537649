import CLinux
import Glibc
import Scoreboard

/// What a worker does for its master.
public enum WorkerSide {
    /// The variables by which a worker knows that a master has started it: the master's process id, and its place on the scoreboard.
    private static let master = "AKTIFY_MASTER"
    private static let slot = "AKTIFY_SLOT"

    static func variables(slot: Int) -> [String: String] { [master: String(getpid()), self.slot: String(slot)] }

    /// Whether a master has started this process.
    public static func hasMaster(environment: [String: String]) -> Bool { environment[master] != nil }

    /// Lets this process end when its master does, if it has one, and tell it should it crash.
    /// - Returns: its place on the master's scoreboard; `nil` when it has no master.
    public static func followMaster(environment: [String: String]) -> Slot? {
        guard let master = environment[master].flatMap({ pid_t($0) }) else { return nil }
        _ = set_parent_death_signal(SIGTERM)
        // It may have ended before: nobody would end this process then.
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

    /// Tells the master that requests are answered from now on.
    public static func tellReady() {
        var byte: UInt8 = 1
        _ = write(WorkerProcess.pipeDescriptor, &byte, 1)
    }
}
