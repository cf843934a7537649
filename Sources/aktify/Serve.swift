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
        help: """
            A file of lines NAME=VALUE, read anew for each generation of workers; they win over the environment. LISTEN, \
            STATUS_LISTEN, PID_FILE and WORKERS count when the master starts.
            """)
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
            ("workers", workers, 1...Master.maxWorkers), ("max-requests", maxRequests, 1...1_000_000_000),
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
        let variables = try variables()
        // libpq reads its own from this process's environment: what the file says holds for the master's connections, too.
        for (name, value) in variables where name.hasPrefix("PG") { setenv(name, value, 1) }
        let config = try loadConfig(variables)
        try config.requireAuthentication()
        let graph = try ScriptDirectory(migrations).graph()
        let options = try options(config, variables)
        let privileges = try user.map { try Privileges(user: $0, group: group) }
        let places = try places(variables)
        if check {
            try places.check(as: privileges)
            _ = try self.variables()
            return print(Master.checkPassed)
        }
        let log = Logger(label: "aktify.master")
        let inheritance = Inheritance(environment: environment)
        if inheritance == nil {
            _ = try prepareSchema(graph, config, endings: Serve.endings, waits: true, log: log)
        }
        try places.checkPIDFile()
        let listener = MasterListener(try listener(places.listen, environment, inheritance))
        let status = try statusListener(places.status, inheritance)
        if let privileges {
            try places.handOver(to: privileges)
            // The workers' variables must be readable to that user too.
            _ = try self.variables()
        }
        try places.writeProcessID()
        defer { places.removeProcessID() }
        try Loop.run {
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
    private final class MasterListener: @unchecked Sendable {
        var socket: ListeningSocket?
        init(_ socket: ListeningSocket) { self.socket = socket }
    }

    /// The signals that terminate it before it serves.
    private static let endings = [SIGTERM, SIGQUIT, SIGINT]

    private func places(_ variables: [String: String]) throws -> ServePlaces {
        let pidFile = pidFile ?? variables["PID_FILE"] ?? ""
        return try ServePlaces(
            listen: listen ?? address(variables["LISTEN"]),
            status: statusListen ?? address(variables["STATUS_LISTEN"]), pidFile: pidFile.isEmpty ? nil : pidFile)
    }

    private func options(_ config: Config, _ variables: [String: String]) throws -> Master.Options {
        let command = [Inheritance.program, "worker", "--loops", "1", "--migrations", migrations]
        let workers =
            try workers ?? count(variables["WORKERS"]) ?? min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), Master.maxWorkers)
        var options = Master.Options(
            workers: workers, command: command,
            environment: { backtraced(connected(try self.variables(), of: workers)) },
            check: (
                [Inheritance.program] + CommandLine.arguments.dropFirst() + ["--check"],
                Inheritance.cleaned(processEnvironment())
            ))
        options.startupTimeout = .seconds(startupTimeout)
        options.gracefulTimeout = .seconds(gracefulTimeout)
        (options.maxRequests, options.maxMemory) = (maxRequests, maxRss.map { $0 << 20 })
        (options.slowRequest, options.stuckAfter) = (config.slowRequest, config.stuckAfter)
        return options
    }

    private func count(_ text: String?) throws -> Int? {
        guard let text, !text.isEmpty else { return nil }
        guard let count = Int(text), (1...Master.maxWorkers).contains(count) else {
            throw CommandError("WORKERS must be a number, 1 to \(Master.maxWorkers), not \(text).")
        }
        return count
    }

    /// The workers' variables.
    @Sendable private func variables() throws -> [String: String] {
        let own = Inheritance.cleaned(processEnvironment())
        guard let envFile else { return own }
        guard let text = readFile(envFile) else { throw CommandError("cannot read \(envFile)") }
        return own.merging(try EnvironmentFile.variables(of: text, file: envFile)) { $1 }
    }

    private func listener(
        _ address: ListenAddress?, _ environment: [String: String], _ inheritance: Inheritance?
    ) throws -> ListeningSocket {
        if let socket = inheritance.flatMap({ ListeningSocket.adopted($0.listener) }) { return socket }
        if let socket = ListeningSocket.inherited(environment: environment) { return socket }
        guard let address else {
            throw ValidationError("Say where to listen: --listen unix:PATH, or start it with a listening socket.")
        }
        return try ListeningSocket.bind(address)
    }

    private func statusListener(
        _ address: ListenAddress?, _ inheritance: Inheritance?
    ) throws -> ListeningSocket? {
        if let socket = inheritance.flatMap({ ListeningSocket.adopted($0.status) }) { return socket }
        return try address.map { try ListeningSocket.bind($0) }
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

/// Says how many connections each of the workers has, unless somebody has said so.
private func connected(_ variables: [String: String], of workers: Int) -> [String: String] {
    guard variables["POSTGRES_CONNECTIONS"] ?? "" == "" else { return variables }
    return variables.merging(["POSTGRES_CONNECTIONS": String(Config.connections(workers: workers))]) { $1 }
}

/// Tells systemd's watchdog that the master's loop turns.
private func keepAlive(_ manager: ServiceManager, _ environment: [String: String]) {
    guard let interval = ServiceManager.watchdogInterval(environment: environment), let loop = Loop.current else {
        return
    }
    manager.notifyAlive()
    loop.schedule(at: Instant.now.advanced(by: interval)) { keepAlive(manager, environment) }
}
