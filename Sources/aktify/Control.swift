import AktifyAPI
import ArgumentParser
import EventLoop
import FastCGI
import Glibc
import Supervisor
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
        let status = try (connect ?? address(processEnvironment()["STATUS_LISTEN"])).map { FastCGIClient($0, seconds: 1) }
        let before = try status.map(Reloads.init)
        try master.signal(all ? SIGUSR2 : SIGHUP)
        guard let status, let before else { return }
        // One that is under way has begun before the signal.
        let wanted = before.ended + (before.isUnderWay ? 2 : 1)
        let deadline = Instant.now.advanced(by: .seconds(timeout))
        while Instant.now < deadline {
            usleep(20_000)
            // A master that replaces itself does not answer for a moment.
            if let now = try? Reloads(status), let outcome = now.outcome(of: wanted) {
                if outcome != "done" { throw CommandError("the reload \(outcome); the old workers go on") }
                return
            }
            guard try master.runs() else { throw CommandError("the master has ended") }
        }
        throw CommandError("the reload has not ended after \(timeout) s")
    }

    /// What the master says of its reloads.
    private struct Reloads {
        let ended: Int
        let isUnderWay: Bool
        private let json: JSON

        init(_ status: FastCGIClient) throws {
            json = try JSON(parsing: Array(status.masterStatus().utf8))
            ended = json.integer("failed reloads") + json.integer("reloads")
            isUnderWay = json.integer("reloads under way") > 0
        }

        /// How the reload with a number, or a later one, went; `nil` when it has not ended.
        func outcome(of number: Int) -> String? {
            guard ended >= number else { return nil }
            return json.list("recent reloads").first { $0.integer("number") >= number }?["outcome"]
                ?? json["last reload"]
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
        throw CommandError("the master still runs after \(timeout) s")
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
    private func pid() throws -> ProcessID? {
        guard !pidFile.isEmpty else { throw ValidationError("Say which master: --pid-file, or PID_FILE.") }
        return try ProcessID(inFile: pidFile)
    }

    /// Sends a signal.
    func signal(_ number: Int32) throws {
        guard let pid = try pid() else { throw CommandError("cannot read \(pidFile): does the master run?") }
        guard pid.isMaster else {
            throw CommandError("process \(pid.number) is no master: \(pidFile) was left by one that was killed")
        }
        guard kill(pid.number, number) == 0 else {
            throw CommandError(
                "the master of \(pidFile) does not run, or is not yours: \(String(cString: strerror(errno)))")
        }
    }

    /// Whether it still runs: it removes its file when it ends.
    func runs() throws -> Bool {
        guard let pid = try pid() else { return false }
        return pid.isMaster
    }
}
