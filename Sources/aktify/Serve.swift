import AktifyAPI
import ArgumentParser
import EventLoop
import FastCGI
import Glibc
import Logging
import Migrations
import Supervisor
import Web

/// Keeps workers answering FastCGI requests.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep worker processes answering FastCGI requests.",
        discussion: """
            Signals: TERM and QUIT finish what runs and end; INT too, and a second one ends at once. HUP replaces the workers one by \
            one, by the program and the variables as they are then; when a new one does not get ready, the old ones go on. USR2 \
            does the same and replaces this process too, under the same id, when the new program's --check succeeds. TTIN and TTOU: one worker more or less. WINCH: no \
            worker, until HUP; ignored on a terminal, which sends it when it is resized.
            """)

    @Option(
        help: "Where to listen: unix:PATH, HOST:PORT or [IPv6]:PORT; else $LISTEN.", transform: ListenAddress.init(_:))
    var listen: ListenAddress?

    @Option(
        help: "Where to answer questions about the status, over FastCGI; else $STATUS_LISTEN.",
        transform: ListenAddress.init(_:))
    var statusListen: ListenAddress?

    @Option(help: "Worker processes, each with one event loop; else $WORKERS. (default: the number of cores)")
    var workers: Int?

    @Option(help: "The folder that has versions/*.sql: the revisions that the schema must be at.")
    var migrations = "migrations"

    @Option(
        help: "A file of lines NAME=VALUE, read anew for each generation of workers; they win over the environment.")
    var envFile: String?

    @Option(help: "A file to write this process's id to; else $PID_FILE.")
    var pidFile: String?

    @Option(
        help: "The user to go on as, when started as root: the sockets are given to it, and it writes the other files.")
    var user: String?

    @Option(help: "The group to go on as, and to give the sockets to: nginx's. (default: the user's own)")
    var group: String?

    @Option(help: "Replace a worker after so many requests, up to a tenth more; one at a time.")
    var maxRequests: Int?

    @Option(help: "Replace a worker that has more megabytes of memory; one at a time.")
    var maxRss: Int?

    @Option(help: "Seconds that a worker may take until it is ready.")
    var startupTimeout = 10

    @Option(help: "Seconds that a worker may take to finish what it does.")
    var gracefulTimeout = 35

    @Flag(help: "Look whether the configuration and the revisions make sense, and start nothing.")
    var check = false

    func validate() throws {
        let limits = [
            ("workers", workers, 1...Master.mostWorkers), ("max-requests", maxRequests, 1...1_000_000_000),
            ("max-rss", maxRss, 1...1_000_000), ("startup-timeout", startupTimeout, 1...86_400),
            ("graceful-timeout", gracefulTimeout, 0...86_400),
        ]
        for (name, number, range) in limits {
            guard let number, !range.contains(number) else { continue }
            throw ValidationError("--\(name) must be \(range.lowerBound) to \(range.upperBound), not \(number).")
        }
        guard group == nil || user != nil else { throw ValidationError("--group goes with --user.") }
    }

    func run() throws {
        Signals.block(Master.signals)
        StandardError.stopBlocking()
        let environment = processEnvironment()
        let config = try loadConfig(try variables())
        let graph = try ScriptDirectory(migrations).graph()
        let options = try options(config, environment)
        let privileges = try user.map { try Privileges(user: $0, group: group) }
        let pidFile = pidFile ?? environment["PID_FILE"]
        if check {
            try checkAddressesAndFiles(environment, pidFile)
            return print(Master.checkPassed)
        }
        let inheritance = Inheritance(environment: environment)
        if inheritance == nil { _ = try prepareSchema(graph, config, log: Logger(label: "aktify.master")) }
        let listener = Held(try listener(environment, inheritance))
        let status = try statusListener(environment, inheritance)
        if let privileges { try assume(privileges, [listen, statusListen].compactMap { $0 }) }
        try write(getpid(), to: pidFile)
        defer { if let pidFile { unlink(pidFile) } }
        try Loop.run {
            let log = Logger(label: "aktify.master")
            let manager = ServiceManager(environment: environment)
            keepAlive(manager, environment)
            log.info("master", metadata: ["workers": "\(options.workers)", "version": "\(Aktify.version)"])
            let master = try Master(
                options, listener: listener.socket?.descriptor ?? -1, status: status?.descriptor ?? -1,
                inheriting: inheritance, log: log, notifier: manager)
            master.onStop = { listener.socket = nil }
            let server = try status.map { try answerStatus(of: master, on: $0, log) }
            try await master.run()
            withExtendedLifetime(server) {}
        }
    }

    /// The listening socket, until the master lets go of it.
    ///
    /// Sound as `@unchecked Sendable`: it is touched on one thread.
    private final class Held: @unchecked Sendable {
        var socket: ListeningSocket?
        init(_ socket: ListeningSocket) { self.socket = socket }
    }

    /// Goes on as another user, who can reach the sockets, and nginx's group too.
    private func assume(_ privileges: Privileges, _ addresses: [ListenAddress]) throws {
        for case .unix(let path) in addresses { try privileges.own(path) }
        try privileges.assume()
    }

    private func options(_ config: Config, _ environment: [String: String]) throws -> Master.Options {
        let command = [Inheritance.program, "worker", "--loops", "1", "--migrations", migrations]
        var options = Master.Options(
            workers: try workers ?? count(try variables()["WORKERS"])
                ?? min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), Master.mostWorkers),
            command: command, environment: { backtraced(try variables()) },
            check: (
                [Inheritance.program] + CommandLine.arguments.dropFirst() + ["--check"],
                Inheritance.cleaned(environment)
            ))
        options.startupTimeout = .seconds(startupTimeout)
        options.gracefulTimeout = .seconds(gracefulTimeout)
        (options.maxRequests, options.maxMemory) = (maxRequests, maxRss.map { $0 << 20 })
        (options.slowRequest, options.stuckAfter) = (config.slowRequest, config.stuckAfter)
        return options
    }

    /// What a start would trip over besides, without binding or writing anything.
    private func checkAddressesAndFiles(_ environment: [String: String], _ pidFile: String?) throws {
        for variable in ["LISTEN", "STATUS_LISTEN"] { _ = try address(environment[variable]) }
        guard let pidFile else { return }
        let folder = pidFile.lastIndex(of: "/").map { String(pidFile[...$0]) } ?? "."
        guard access(folder, W_OK) == 0 else {
            throw Complaint("cannot write \(pidFile): \(String(cString: strerror(errno)))")
        }
    }

    private func count(_ text: String?) throws -> Int? {
        guard let text, !text.isEmpty else { return nil }
        guard let count = Int(text), (1...Master.mostWorkers).contains(count) else {
            throw ValidationError("WORKERS must be a number, 1 to \(Master.mostWorkers), not \(text).")
        }
        return count
    }

    /// The workers' variables.
    @Sendable private func variables() throws -> [String: String] {
        let own = Inheritance.cleaned(processEnvironment())
        guard let envFile else { return own }
        guard let text = readFile(envFile) else { throw Complaint("cannot read \(envFile)") }
        return own.merging(try EnvironmentFile.variables(of: text, file: envFile)) { $1 }
    }

    private func listener(_ environment: [String: String], _ inheritance: Inheritance?) throws -> ListeningSocket {
        if let socket = inheritance.flatMap({ ListeningSocket.adopted($0.listener) }) { return socket }
        if let socket = ListeningSocket.inherited(environment: environment) { return socket }
        guard let listen = try listen ?? address(environment["LISTEN"]) else {
            throw ValidationError("Say where to listen: --listen unix:PATH, or start it with a listening socket.")
        }
        return try ListeningSocket.bind(listen)
    }

    private func statusListener(
        _ environment: [String: String], _ inheritance: Inheritance?
    ) throws -> ListeningSocket? {
        if let socket = inheritance.flatMap({ ListeningSocket.adopted($0.status) }) { return socket }
        return try (statusListen ?? address(environment["STATUS_LISTEN"])).map { try ListeningSocket.bind($0) }
    }

    /// Writes the process id's file as a whole: who reads it meanwhile finds the old one.
    private func write(_ pid: pid_t, to path: String?) throws {
        guard let path else { return }
        let new = path + ".new"
        guard let file = fopen(new, "w") else {
            throw Complaint("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        fputs("\(pid)\n", file)
        fclose(file)
        guard rename(new, path) == 0 else {
            throw Complaint("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }
}

/// An address that a variable has; an empty one counts as absent.
func address(_ text: String?) throws -> ListenAddress? {
    try text.flatMap { $0.isEmpty ? nil : $0 }.map { try ListenAddress($0) }
}

/// Answers questions about the status on the master's own loop.
private func answerStatus(of master: Master, on socket: ListeningSocket, _ log: Logger) throws -> Server {
    guard let loop = Loop.current else { preconditionFailure("a master runs on a loop") }
    // Pages of other origins have no business with it.
    var application = Application(cors: .origins([]))
    try application.mount(statusBlueprint { master.status }, at: "/")
    let server = Server(application: application, loop: loop, log: log)
    try server.listen(on: socket)
    return server
}

/// The variables, with what lets the Swift runtime tell where a process crashed, when the helper for that is there: beside the
/// program, or in `../libexec/aktify`.
private func backtraced(_ variables: [String: String]) -> [String: String] {
    guard variables["SWIFT_BACKTRACE"] ?? "" == "", let slash = Inheritance.program.lastIndex(of: "/") else {
        return variables
    }
    let folder = Inheritance.program[..<slash]
    let places = [folder + "/swift-backtrace-static", folder + "/../libexec/aktify/swift-backtrace-static"]
    guard let helper = places.first(where: { access(String($0), X_OK) == 0 }) else { return variables }
    let settings = [
        "enable=yes", "sanitize=yes", "threads=crashed", "registers=none", "images=none", "interactive=no", "color=no",
        "symbolicate=fast", "output-to=stderr", "swift-backtrace=\(helper)",
    ]
    return variables.merging(["SWIFT_BACKTRACE": settings.joined(separator: ",")]) { $1 }
}

/// Tells systemd's watchdog that the master's loop turns.
private func keepAlive(_ manager: ServiceManager, _ environment: [String: String]) {
    guard let interval = ServiceManager.watchdogInterval(environment: environment), let loop = Loop.current else {
        return
    }
    manager.alive()
    loop.schedule(at: Instant.now.advanced(by: interval)) { keepAlive(manager, environment) }
}
