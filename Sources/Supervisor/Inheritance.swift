import EventLoop
import Glibc
import Scoreboard

/// What a master that re-executes itself leaves to the one that it becomes, in a variable of its environment.
public struct Inheritance: Sendable {
    /// The listening socket's descriptor.
    public let listener: Int32
    /// The descriptor of the socket for questions about the status; -1 when there is none.
    public let status: Int32
    let scoreboard: Int32
    let generation: Int
    let target: Int
    let events: Master.Events
    let workers: [Worker]

    struct Worker: Sendable {
        let pid: pid_t
        let generation: Int
        let slot: Int
        let isEnding: Bool

        init(pid: pid_t, generation: Int, slot: Int, isEnding: Bool) {
            (self.pid, self.generation, self.slot, self.isEnding) = (pid, generation, slot, isEnding)
        }

        init?(numbers: [Int]) {
            guard numbers.count == 4, let pid = pid_t(exactly: numbers[0]), pid > 1,
                (1..<SharedScoreboard.capacity).contains(numbers[2])
            else { return nil }
            self.init(pid: pid, generation: numbers[1], slot: numbers[2], isEnding: numbers[3] == 1)
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

    /// Reads what was left.
    /// - Returns: `nil` when this is a first start.
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

    /// The state that the new master begins with.
    func fleet(_ options: Fleet.Options) -> Fleet {
        let workers = workers.enumerated().map { id, worker in
            Fleet.Worker(
                id: id, generation: worker.generation, started: .now,
                state: worker.isEnding ? .draining(wasReady: true) : .ready)
        }
        return Fleet(options, adopting: workers, target: target, generation: generation, at: .now)
    }

    private var text: String {
        let groups =
            [[Int(listener), Int(status), Int(scoreboard), generation, target], events.numbers]
            + workers.map { [Int($0.pid), $0.generation, $0.slot, $0.isEnding ? 1 : 0] }
        return groups.map { $0.map { String($0) }.joined(separator: ":") }.joined(separator: " ")
    }

    /// The variables without what masters leave to each other, and without systemd's, which are for one process only.
    public static func cleaned(_ environment: [String: String]) -> [String: String] {
        let own: Set<String> = [
            variable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
        ]
        return environment.filter { !own.contains($0.key) }
    }

    /// Replaces this process.
    /// - Returns: why that is not possible.
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

    /// The path of the program that runs, as it was started: a file that was put in its place since is the one that is meant.
    public static let program: String = {
        let name = CommandLine.arguments[0]
        if name.contains("/") { return realPath(of: name) }
        let folders = String(cString: getenv("PATH") ?? strdup("/usr/bin")).split(separator: ":")
        return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 } ?? name
    }()

    /// The absolute path, with links left as they are: one that is pointed elsewhere is how programs are exchanged.
    private static func realPath(of name: String) -> String {
        guard !name.hasPrefix("/"), let folder = getcwd(nil, 0) else { return name }
        defer { free(folder) }
        return "\(String(cString: folder))/\(name)"
    }
}
