import CLinux
import Glibc

/// What a worker does for its master.
public enum WorkerSide {
    /// The variable by which a worker knows that a master has started it: the master's process id.
    static let variable = "AKTIFY_MASTER"

    /// Lets this process end when its master does, if it has one.
    /// - Returns: whether it has one.
    public static func followMaster(environment: [String: String]) -> Bool {
        guard let master = environment[variable].flatMap({ pid_t($0) }), getppid() == master else { return false }
        _ = set_parent_death_signal(SIGTERM)
        // It may have ended in between.
        if getppid() != master { exit(0) }
        _ = fcntl(WorkerProcess.readyDescriptor, F_SETFD, FD_CLOEXEC)
        return true
    }

    /// Tells the master that requests are answered from now on.
    public static func tellReady() {
        var byte: UInt8 = 1
        _ = write(WorkerProcess.readyDescriptor, &byte, 1)
        close(WorkerProcess.readyDescriptor)
    }
}
