import ArgumentParser
import Glibc

/// Replaces the workers of a master that runs.
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the master replace its workers one by one, by the program and the variables as they are now.")

    @OptionGroup var master: RunningMaster

    @Flag(help: "Replace the master too, under the same process id (USR2 in place of HUP).")
    var all = false

    func run() throws { try master.signal(all ? SIGUSR2 : SIGHUP) }
}

/// Ends a master that runs.
struct Stop: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the master and its workers finish what runs, and wait for their end.")

    @OptionGroup var master: RunningMaster

    @Option(help: "Seconds to wait.")
    var timeout = 40

    func validate() throws {
        guard (0...86_400).contains(timeout) else {
            throw ValidationError("--timeout must be 0 to 86400, not \(timeout).")
        }
    }

    func run() throws {
        try master.signal(SIGTERM)
        for _ in 0..<timeout * 20 {
            guard try master.runs() else { return }
            usleep(50_000)
        }
        throw Complaint("the master still runs after \(timeout) s")
    }
}

/// A master, by the file that has its process id.
struct RunningMaster: ParsableArguments {
    @Option(
        name: .customLong("pid-file"), help: "The file that `aktify serve` wrote its process id to; else $PID_FILE.")
    var pidFileOption: String?

    private var pidFile: String { pidFileOption ?? processEnvironment()["PID_FILE"] ?? "" }

    /// The process id in the file; `nil` when there is no file.
    private func pid() throws -> pid_t? {
        guard !pidFile.isEmpty else { throw ValidationError("Say which master: --pid-file, or PID_FILE.") }
        guard let text = readFile(pidFile) else { return nil }
        guard let pid = pid_t(text.filter { !$0.isWhitespace }), pid > 0 else {
            throw Complaint("\(pidFile) has no process id in it")
        }
        return pid
    }

    /// Sends a signal.
    func signal(_ number: Int32) throws {
        guard let pid = try pid() else { throw Complaint("cannot read \(pidFile): does the master run?") }
        guard kill(pid, number) == 0 else {
            throw Complaint(
                "the master of \(pidFile) does not run, or is not yours: \(String(cString: strerror(errno)))")
        }
    }

    /// Whether it still runs: it removes its file when it ends.
    func runs() throws -> Bool {
        guard let pid = try pid() else { return false }
        return kill(pid, 0) == 0
    }
}
