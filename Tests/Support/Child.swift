import Foundation

/// A child process that a test started. It is killed on deinitialization.
///
/// Foundation's `Process` is not used because it also waits for descendants, such as a Postgres cluster in the
/// background.
public final class Child: @unchecked Sendable {
    // Safe as `@unchecked Sendable`: the properties are set in `init`, and `status` is protected by the lock.
    /// The process id.
    public let pid: pid_t
    /// The file that the process's standard output and error are written to.
    public let output: String
    private let lock = NSLock()
    private var status: Int32?

    /// Starts a program in the root directory of the checkout. A name without a slash is looked up in PATH.
    /// - Parameters:
    ///   - environment: variables in addition to those of the test process and `AUTH=off`.
    ///   - input: the descriptor for its standard input, such as a listening socket for a worker.
    ///   - output: the file for its standard output and error.
    public init(_ command: [String], environment: [String: String] = [:], input: Int32? = nil, output: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let command = ["env", "-C", checkout] + command
        let variables = (ProcessInfo.processInfo.environment.merging(["AUTH": "off"]) { $1 })
            .merging(environment) { $1 }.map { "\($0)=\($1)" }
        let (arguments, environment) = (command.map { strdup($0) } + [nil], variables.map { strdup($0) } + [nil])
        defer { (arguments + environment).forEach { free($0) } }
        var pid = pid_t()
        let code = Child.withUnblockedSignals { posix_spawnp(&pid, command[0], &actions, $0, arguments, environment) }
        guard code == 0 else { throw CommandFailed(description: "\(command[0]): \(String(cString: strerror(code)))") }
        self.pid = pid
        self.output = output
    }

    /// Runs `body` with spawn attributes that unblock all signals. The threads of tests block some, which a child would
    /// inherit.
    private static func withUnblockedSignals(_ body: (UnsafePointer<posix_spawnattr_t>) -> Int32) -> Int32 {
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        posix_spawnattr_init(&attributes)
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        defer { posix_spawnattr_destroy(&attributes) }
        return body(&attributes)
    }

    deinit {
        guard !hasEnded else { return }
        kill(pid, SIGKILL)
        _ = wait(seconds: 5)
    }

    /// Sends a signal.
    public func signal(_ number: Int32) { if !hasEnded { kill(pid, number) } }

    /// Whether the process has exited.
    public var hasEnded: Bool { exitStatus() != nil }

    /// The exit status, if the process has exited: its code, or 128 plus the number of the signal.
    private func exitStatus() -> Int32? {
        lock.withLock {
            if status == nil {
                var raw: Int32 = 0
                if waitpid(pid, &raw, WNOHANG) == pid { status = raw & 0x7f == 0 ? raw >> 8 & 0xff : 128 + raw & 0x7f }
            }
            return status
        }
    }

    /// Waits for the process to exit, for up to `seconds`.
    /// - Returns: its exit status, or `nil` if it is still running.
    public func wait(seconds: Double) -> Int32? {
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            if let status = exitStatus() { return status }
            usleep(2000)
        }
        return exitStatus()
    }

    /// The output so far.
    public var log: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
}
