import AktifyAPI
import ArgumentParser
import FastCGI
import Glibc
import Web

/// Replaces the workers of a master that runs.
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the master replace its workers one by one, by the program and the variables as they are now.",
        discussion: """
            When it is known where the master answers, waits until the reload has ended, and ends with 1 when it failed and the old \
            workers go on. Else it only asks for the reload: the log says how that went.
            """)

    @OptionGroup var master: RunningMaster

    @Option(
        help: "Where the master answers (aktify serve --status-listen); else $STATUS_LISTEN.",
        transform: ListenAddress.init(_:))
    var connect: ListenAddress?

    @Flag(help: "Replace the master too, under the same process id (USR2 in place of HUP).")
    var all = false

    @Option(help: "Seconds to wait.")
    var timeout = 120

    func validate() throws { try validateTimeout(timeout) }

    func run() throws {
        let status = try (connect ?? address(processEnvironment()["STATUS_LISTEN"])).map { Probe($0, seconds: 3) }
        let before = try status.map(Reloads.init)
        try master.signal(all ? SIGUSR2 : SIGHUP)
        guard let status, let before else { return }
        for _ in 0..<timeout * 10 {
            usleep(100_000)
            // A master that replaces itself does not answer for a moment.
            guard let now = try? Reloads(status), now.count > before.count else { continue }
            guard now.failed == before.failed else { throw Complaint("the reload \(now.last); the old workers go on") }
            return
        }
        throw Complaint("the reload has not ended after \(timeout) s")
    }

    /// What the master says of its reloads.
    private struct Reloads {
        let count: Int
        let failed: Int
        /// How the last one went.
        let last: String

        init(_ status: Probe) throws {
            let json = try JSON(parsing: Array(status.masterStatus().utf8))
            failed = json.integer("failed reloads")
            count = failed + json.integer("reloads")
            last = json["last reload"]
        }
    }
}

/// Ends a master that runs.
struct Stop: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the master and its workers finish what runs, and wait for their end.")

    @OptionGroup var master: RunningMaster

    @Option(help: "Seconds to wait.")
    var timeout = 40

    func validate() throws { try validateTimeout(timeout) }

    func run() throws {
        try master.signal(SIGTERM)
        for _ in 0..<timeout * 20 {
            guard try master.runs() else { return }
            usleep(50_000)
        }
        throw Complaint("the master still runs after \(timeout) s")
    }
}

private func validateTimeout(_ seconds: Int) throws {
    guard (0...86_400).contains(seconds) else {
        throw ValidationError("--timeout must be 0 to 86400, not \(seconds).")
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
        guard isMaster(pid) else {
            throw Complaint("process \(pid) is no master: \(pidFile) was left by one that was killed")
        }
        guard kill(pid, number) == 0 else {
            throw Complaint(
                "the master of \(pidFile) does not run, or is not yours: \(String(cString: strerror(errno)))")
        }
    }

    /// Whether it still runs: it removes its file when it ends.
    func runs() throws -> Bool {
        guard let pid = try pid() else { return false }
        return kill(pid, 0) == 0 && isMaster(pid)
    }

    /// Whether a process was started as `aktify serve`, or does not say how it was (proc_pid_cmdline(5)).
    private func isMaster(_ pid: pid_t) -> Bool {
        guard let arguments = readFile("/proc/\(pid)/cmdline"), !arguments.isEmpty else { return true }
        return arguments.split(separator: "\0").dropFirst().first == "serve"
    }
}
