import AktifyAPI
import ArgumentParser
import EventLoop
import FastCGI
import Glibc
import Supervisor
import Web

/// `aktify reload`: has a running master replace its workers.
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reload the service: replace the workers one by one, without dropping requests.",
        discussion: """
            New workers run the program file and the environment file as they are now. With a status address \
            (--connect or STATUS_LISTEN), the command waits for the outcome, and exits with status 1 when the reload \
            failed and the old workers keep running. Without one it only signals the master; the outcome is in the \
            master's log.
            """)

    @OptionGroup var master: RunningMaster

    @Option(
        help: ArgumentHelp(
            "The master's status address, as given to aktify serve --status-listen. (default: $STATUS_LISTEN)",
            valueName: "address"),
        transform: ListenAddress.init(_:))
    var connect: ListenAddress?

    @Flag(help: "Upgrade the master too: it re-executes itself under the same process id (sends USR2 instead of HUP).")
    var all = false

    @Option(help: ArgumentHelp("How long to wait for the outcome.", valueName: "seconds"))
    var timeout = 120

    func validate() throws { try validateTimeout(timeout) }

    func run() throws {
        let statusAddress = try connect ?? address("STATUS_LISTEN", in: processEnvironment())
        let status = statusAddress.map { FastCGIClient($0, seconds: 1) }
        let before = try status.map(ReloadHistory.init)
        try master.signal(all ? SIGUSR2 : SIGHUP)
        guard let status, let before else { return }
        let deadline = Instant.now.advanced(by: .seconds(timeout))
        while Instant.now < deadline {
            usleep(20_000)
            // A master that re-executes itself is briefly unreachable.
            if let now = try? ReloadHistory(status), let outcome = now.outcome(since: before) {
                if outcome != "done" { throw CommandError("the reload \(outcome); the old workers keep running") }
                return
            }
            guard try master.isRunning() else { throw CommandError("the master has exited") }
        }
        throw CommandError("the reload has not finished after \(timeout) s")
    }

    /// The counts and the outcomes of reloads, read from the master's status report.
    private struct ReloadHistory {
        /// How many reloads have finished, with or without success.
        let ended: Int
        let isUnderWay: Bool
        private let json: JSON

        init(_ status: FastCGIClient) throws {
            json = try JSON(parsing: Array(status.masterStatus().utf8))
            ended = json.integer("failed reloads") + json.integer("reloads")
            isUnderWay = json.integer("reloads under way") > 0
        }

        /// Returns the outcome of a reload that was requested just after an earlier report; `nil` while the reload has
        /// not finished. If the status report no longer lists that reload, returns the outcome of a later one.
        func outcome(since earlier: ReloadHistory) -> String? {
            guard ended > earlier.ended else { return nil }
            // A reload that was already under way began before the request, so the one after it is meant. None follows
            // if the master has re-executed itself, since the reload of the new master fulfils the request, too.
            let number = earlier.ended + (earlier.isUnderWay && (isUnderWay || ended > earlier.ended + 1) ? 2 : 1)
            return json.list("recent reloads").first { $0.integer("number") >= number }?["outcome"]
        }
    }
}

/// `aktify stop`: stops a running master gracefully.
struct Stop: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop the service gracefully: drain the workers, then wait until the master has exited.")

    @OptionGroup var master: RunningMaster

    @Option(help: ArgumentHelp("How long to wait for the master to exit.", valueName: "seconds"))
    var timeout = 40

    func validate() throws { try validateTimeout(timeout) }

    func run() throws {
        try master.signal(SIGTERM)
        for _ in 0..<timeout * 20 {
            guard try master.isRunning() else { return }
            usleep(50_000)
        }
        throw CommandError("the master is still running after \(timeout) s")
    }
}

private func validateTimeout(_ seconds: Int) throws {
    guard (0...86_400).contains(seconds) else {
        throw ValidationError("--timeout must be between 0 and 86400 seconds, not \(seconds).")
    }
}

/// The option that selects a running master by its PID file.
struct RunningMaster: ParsableArguments {
    @Option(
        name: .customLong("pid-file"),
        help: ArgumentHelp("The master's PID file, as given to aktify serve. (default: $PID_FILE)", valueName: "file"))
    var pidFileOption: String?

    private var pidFile: String { pidFileOption ?? processEnvironment()["PID_FILE"] ?? "" }

    /// Reads the process id from the PID file; `nil` when the file cannot be read.
    private func pid() throws -> ProcessID? {
        guard !pidFile.isEmpty else { throw ValidationError("Which master? Pass --pid-file, or set PID_FILE.") }
        return try ProcessID(inFile: pidFile)
    }

    /// Sends a signal to the master.
    /// - Throws: `CommandError` when the PID file cannot be read or is stale, or the process may not be signalled.
    func signal(_ number: Int32) throws {
        guard let pid = try pid() else { throw CommandError("cannot read \(pidFile): is the master running?") }
        guard pid.isMaster else {
            throw CommandError("\(pidFile) is stale: process \(pid.number) is not a master, so the old one was killed")
        }
        guard kill(pid.number, number) == 0 else {
            throw CommandError("cannot signal process \(pid.number) of \(pidFile): \(String(cString: strerror(errno)))")
        }
    }

    /// Returns whether the master is still running. A master removes its PID file when it exits.
    func isRunning() throws -> Bool {
        guard let pid = try pid() else { return false }
        return pid.isMaster
    }
}
