import EventLoop
import Glibc
import Scoreboard

/// The state that a master passes, in an environment variable, to its successor when it re-executes itself. The process
/// id and the children stay the same, and the descriptors in this state stay open.
public struct Inheritance: Sendable {
    /// The listening socket's descriptor.
    public let listener: Int32
    /// The descriptor of the status socket; -1 when there is none.
    public let status: Int32
    let scoreboard: Int32
    let generation: Int
    let target: Int
    let events: Master.Events
    let workers: [Worker]

    /// A worker process that the successor takes over.
    struct Worker: Sendable {
        let pid: pid_t
        let generation: Int
        let slot: Int
        let isDraining: Bool

        init(pid: pid_t, generation: Int, slot: Int, isDraining: Bool) {
            (self.pid, self.generation, self.slot, self.isDraining) = (pid, generation, slot, isDraining)
        }

        init?(numbers: [Int]) {
            guard numbers.count == 4, let pid = pid_t(exactly: numbers[0]), pid > 1,
                (1..<SharedScoreboard.capacity).contains(numbers[2])
            else { return nil }
            self.init(pid: pid, generation: numbers[1], slot: numbers[2], isDraining: numbers[3] == 1)
        }
    }

    init(
        listener: Int32, status: Int32, scoreboard: Int32, generation: Int, target: Int, events: Master.Events,
        workers: [Worker]
    ) {
        (self.listener, self.status, self.scoreboard) = (listener, status, scoreboard)
        (self.generation, self.target, self.events, self.workers) = (generation, target, events, workers)
    }

    private static let variable = "AKTIFY_MASTER_STATE"

    /// Parses the state that the previous program has left in the environment.
    /// - Returns: `nil` when the environment contains no such state, as on a first start, or an unreadable one.
    public init?(environment: [String: String]) {
        let groups = environment[Inheritance.variable]?.split(separator: " ").map { group in
            group.split(separator: ":").compactMap { Int($0) }
        }
        guard let groups, groups.count >= 2, groups[0].count == 5, let events = Master.Events(numbers: groups[1]),
            let listener = Int32(exactly: groups[0][0]), let status = Int32(exactly: groups[0][1]),
            let scoreboard = Int32(exactly: groups[0][2])
        else { return nil }
        (self.listener, self.status, self.scoreboard) = (listener, status, scoreboard)
        (generation, target) = (groups[0][3], groups[0][4])
        self.events = events
        workers = groups.dropFirst(2).compactMap { Worker(numbers: $0) }
    }

    /// Creates the successor's fleet, with the workers that the successor takes over.
    func fleet(_ options: Fleet.Options) -> Fleet {
        let workers = workers.enumerated().map { id, worker in
            Fleet.Worker(
                id: id, generation: worker.generation, started: .now,
                state: worker.isDraining ? .draining(wasReady: true) : .ready)
        }
        return Fleet(options, adopting: workers, target: target, generation: generation, at: .now)
    }

    private var text: String {
        let groups =
            [[Int(listener), Int(status), Int(scoreboard), generation, target], events.numbers]
            + workers.map { [Int($0.pid), $0.generation, $0.slot, $0.isDraining ? 1 : 0] }
        return groups.map { $0.map { String($0) }.joined(separator: ":") }.joined(separator: " ")
    }

    /// Returns the environment without the variable that contains the inherited state, and without systemd's variables,
    /// which are meant for a single process only.
    public static func cleaned(_ environment: [String: String]) -> [String: String] {
        let own: Set<String> = [
            variable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
        ]
        return environment.filter { !own.contains($0.key) }
    }

    /// Re-executes the program in this process (execve(2)). Does not return on success.
    /// - Returns: The error when re-execution fails.
    func execute() -> SystemError {
        setenv(Inheritance.variable, text, 1)
        let descriptors = [listener, status, scoreboard].filter { $0 >= 0 }
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, 0) }
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv(Inheritance.program, &arguments)
        let failure = SystemError("execute \(Inheritance.program)")
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        unsetenv(Inheritance.variable)
        return failure
    }

    /// The path that this program was started from. When the program file has been replaced since then, the path refers
    /// to the new file.
    public static let program: String = {
        let name = CommandLine.arguments[0]
        if name.contains("/") { return realPath(of: name) }
        let folders = String(cString: getenv("PATH") ?? strdup("/usr/bin")).split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 } ?? name
    }()

    /// Returns the absolute path of a file. Symbolic links in `name` are not resolved, since pointing a link elsewhere
    /// is a common way to deploy a new version.
    private static func realPath(of name: String) -> String {
        guard !name.hasPrefix("/"), let folder = getcwd(nil, 0) else { return name }
        defer { free(folder) }
        return "\(String(cString: folder))/\(name)"
    }
}
