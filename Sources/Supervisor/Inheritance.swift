import CLinux
import Glibc

/// What a master that re-executes itself leaves to the one that it becomes, in variables of its environment.
public struct Inheritance: Sendable {
    /// The listening socket's descriptor.
    public let listener: Int32
    let generation: Int
    let target: Int
    let workers: [(pid: pid_t, generation: Int)]

    init(listener: Int32, generation: Int, target: Int, workers: [(pid: pid_t, generation: Int)]) {
        (self.listener, self.generation, self.target, self.workers) = (listener, generation, target, workers)
    }

    private static let variable = "AKTIFY_MASTER_STATE"

    /// Reads what was left.
    /// - Returns: `nil` when this is a first start.
    public init?(environment: [String: String]) {
        let fields = environment[Inheritance.variable]?.split(separator: " ").map { String($0) } ?? []
        let numbers = fields.prefix(3).compactMap { Int($0) }
        guard numbers.count == 3 else { return nil }
        listener = Int32(numbers[0])
        (generation, target) = (numbers[1], numbers[2])
        workers = fields.dropFirst(3).compactMap { field in
            let parts = field.split(separator: ":").compactMap { Int($0) }
            return parts.count == 2 ? (pid: pid_t(parts[0]), generation: parts[1]) : nil
        }
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
    func execute() -> SystemFailure {
        let fields = ["\(listener)", "\(generation)", "\(target)"] + workers.map { "\($0.pid):\($0.generation)" }
        setenv(Inheritance.variable, fields.joined(separator: " "), 1)
        _ = fcntl(listener, F_SETFD, 0)
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv(Inheritance.program, &arguments)
        let failure = SystemFailure(description: String(cString: strerror(errno)))
        _ = fcntl(listener, F_SETFD, FD_CLOEXEC)
        unsetenv(Inheritance.variable)
        return failure
    }

    struct SystemFailure: CustomStringConvertible {
        let description: String
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
