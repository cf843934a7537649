import AktifyAPI
import ArgumentParser
import EventLoop
import FastCGI
import Glibc
import Logging
import Migrations
import Supervisor
import Web

/// `aktify serve`: the master, which runs and supervises worker processes.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the service: a master that supervises worker processes, which handle FastCGI requests.",
        discussion: """
            A socket that the process inherits (systemd socket activation, or a listening socket as descriptor 0) is \
            used instead of --listen.

            Signals to the master:

              TERM, QUIT  Stop gracefully: finish requests in progress, then exit.
              INT         Stop gracefully; a second INT exits immediately.
              HUP         Reload: replace the workers one by one, with the current
                          program file and --env-file. If a new worker does not
                          become ready, the old ones keep running.
              USR2        Like HUP, but the master also re-executes itself under
                          the same process id, if the new program passes --check.
              TTIN, TTOU  Start one more worker; stop one worker.
              WINCH       Stop all workers gracefully, until HUP. Ignored on a
                          terminal, which sends it when it is resized.
            """)

    @Option(
        help: ArgumentHelp(
            "The address to listen on: unix:PATH, HOST:PORT or [IPv6]:PORT. (default: $LISTEN)", valueName: "address"),
        transform: ListenAddress.init(_:))
    var listen: ListenAddress?

    @Option(
        help: ArgumentHelp(
            "The address to serve the status report on, over FastCGI. (default: $STATUS_LISTEN)", valueName: "address"),
        transform: ListenAddress.init(_:))
    var statusListen: ListenAddress?

    @Option(
        help: ArgumentHelp(
            "The number of worker processes; each runs one event loop. (default: $WORKERS, or the number of cores)",
            valueName: "count"))
    var workers: Int?

    @Option(
        help: ArgumentHelp(
            "The migrations directory, with versions/*.sql. The database must be at its head.",
            valueName: "directory"))
    var migrations = "migrations"

    @Option(
        help: ArgumentHelp(
            """
            A file of NAME=VALUE lines, read again on each reload; they override the environment. LISTEN, \
            STATUS_LISTEN, PID_FILE and WORKERS take effect only when the master starts; STUCK_AFTER_MS and, in the \
            master, SLOW_REQUEST_MS and LOG_LEVEL also on USR2, but not on HUP.
            """, valueName: "file"))
    var envFile: String?

    @Option(help: ArgumentHelp("Write the master's process id to this file. (default: $PID_FILE)", valueName: "file"))
    var pidFile: String?

    @Option(
        help: """
            The user to drop root privileges to. The sockets are owned by this user, who must be able to read the \
            --env-file and to write the PID file.
            """)
    var user: String?

    @Option(
        help: """
            The group to drop root privileges to, which also owns the sockets: the one that nginx runs as. (default: \
            the user's primary group)
            """)
    var group: String?

    @Option(
        help: ArgumentHelp(
            "Recycle a worker after this many requests, plus up to 10 % at random; one worker at a time.",
            valueName: "count"))
    var maxRequests: Int?

    @Option(
        help: ArgumentHelp(
            "Recycle a worker whose resident memory exceeds this size; one worker at a time.", valueName: "megabytes"))
    var maxRss: Int?

    @Option(
        help: ArgumentHelp(
            "How long a worker may take to become ready, not counting the time in which it migrates the schema.",
            valueName: "seconds"))
    var startupTimeout = 10

    @Option(
        help: ArgumentHelp(
            """
            How long a draining worker may take before the master kills it. Workers stop waiting for their requests \
            after 30 s.
            """, valueName: "seconds"))
    var gracefulTimeout = 35

    @Flag(help: "Check the configuration and the revision files, print the result, and exit.")
    var check = false

    func validate() throws {
        let limits = [
            ("workers", workers, 1...Master.maxWorkers), ("max-requests", maxRequests, 1...1_000_000_000),
            ("max-rss", maxRss, 1...1_000_000), ("startup-timeout", startupTimeout, 1...86_400),
            ("graceful-timeout", gracefulTimeout, 0...86_400),
        ]
        for (name, number, range) in limits {
            guard let number, !range.contains(number) else { continue }
            let (minimum, maximum) = (range.lowerBound, range.upperBound)
            throw ValidationError("--\(name) must be between \(minimum) and \(maximum), not \(number).")
        }
        guard group == nil || user != nil else { throw ValidationError("--group requires --user.") }
    }

    func run() throws {
        Signals.block(Master.signals)
        StandardError.stopBlocking()
        let environment = processEnvironment()
        let variables = try variables()
        let config = try loadConfig(variables)
        try config.requireAuthentication()
        let graph = try ScriptDirectory(migrations).graph()
        let options = try options(config, variables)
        let privileges = try user.map { try Privileges(user: $0, group: group) }
        let files = try runtimeFiles(variables)
        if check {
            try files.check(as: privileges)
            _ = try self.variables()
            return print(Master.checkPassed)
        }
        let log = Logger(label: "aktify.master")
        let inheritance = Inheritance(environment: environment)
        if inheritance == nil {
            // libpq reads its variables from the process environment, so those of the file must be set for the master's
            // own connections. They must not stay, since the workers would inherit them after the file has changed.
            let settings = variables.filter { $0.key.hasPrefix("PG") }
            for (name, value) in settings { setenv(name, value, 1) }
            _ = try prepareSchema(graph, config, signals: Serve.terminationSignals, slot: nil, log: log)
            for name in settings.keys {
                if let value = environment[name] { setenv(name, value, 1) } else { unsetenv(name) }
            }
        }
        try files.checkPIDFile()
        let listener = MasterListener(try listener(files.listen, environment, inheritance))
        let status = try statusListener(files.status, inheritance)
        if let privileges {
            try files.handOver(to: privileges)
            // Fails now, not on the next reload, when that user cannot read the --env-file.
            _ = try self.variables()
        }
        try files.writeProcessID()
        defer { files.removeProcessID() }
        try Loop.run {
            let manager = ServiceManager(environment: environment)
            keepAlive(manager, environment)
            log.info(
                "the master has started", metadata: ["workers": "\(options.workers)", "version": "\(Aktify.version)"])
            let master = try Master(
                options, listener: listener.socket?.descriptor ?? -1, status: status?.descriptor ?? -1,
                inheriting: inheritance, log: log, notifier: manager)
            master.onStop = { listener.socket = nil }
            let server = try status.map { try serveStatus(of: master, on: $0, log) }
            try await master.run()
            withExtendedLifetime(server) {}
        }
    }

    /// The owner of the listening socket. When the master stops, the socket is released and thereby closed.
    ///
    /// Safe as `@unchecked Sendable`: this object is only used on one thread.
    private final class MasterListener: @unchecked Sendable {
        var socket: ListeningSocket?
        init(_ socket: ListeningSocket) { self.socket = socket }
    }

    /// The signals that terminate the process while it prepares the schema.
    private static let terminationSignals = [SIGTERM, SIGQUIT, SIGINT]

    private func runtimeFiles(_ variables: [String: String]) throws -> RuntimeFiles {
        let pidFile = pidFile ?? variables["PID_FILE"] ?? ""
        return try RuntimeFiles(
            listen: listen ?? address("LISTEN", in: variables),
            status: statusListen ?? address("STATUS_LISTEN", in: variables),
            pidFile: pidFile.isEmpty ? nil : pidFile)
    }

    private func options(_ config: Config, _ variables: [String: String]) throws -> Master.Options {
        let command = [Inheritance.program, "worker", "--loops", "1", "--migrations", migrations]
        let workers =
            try workers ?? count(variables["WORKERS"]) ?? min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), Master.maxWorkers)
        var options = Master.Options(
            workers: workers, command: command,
            environment: { withBacktraces(withConnectionLimit(try self.variables(), workers: workers)) },
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
            throw CommandError("WORKERS must be a number between 1 and \(Master.maxWorkers), not \(text).")
        }
        return count
    }

    /// Returns the environment of the workers: that of this process, overridden by the environment file.
    @Sendable private func variables() throws -> [String: String] {
        let inherited = Inheritance.cleaned(processEnvironment())
        guard let envFile else { return inherited }
        guard let text = readFile(envFile) else { throw CommandError("cannot read \(envFile)") }
        return inherited.merging(try EnvironmentFile.variables(of: text, file: envFile)) { $1 }
    }

    private func listener(
        _ address: ListenAddress?, _ environment: [String: String], _ inheritance: Inheritance?
    ) throws -> ListeningSocket {
        if let socket = inheritance.flatMap({ ListeningSocket.adopted($0.listener) }) { return socket }
        if let socket = ListeningSocket.inherited(environment: environment) { return socket }
        guard let address else {
            throw ValidationError("No address to listen on: pass --listen, set LISTEN, or pass a listening socket.")
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

/// Parses an address from an environment variable; `nil` when the variable is not set or empty.
/// - Throws: `ValidationError`, which names the variable.
func address(_ name: String, in variables: [String: String]) throws -> ListenAddress? {
    guard let text = variables[name], !text.isEmpty else { return nil }
    do { return try ListenAddress(text) } catch { throw ValidationError("\(name): \(error)") }
}

/// Serves the status report on the master's own event loop.
private func serveStatus(of master: Master, on socket: ListeningSocket, _ log: Logger) throws -> Server {
    guard let loop = Loop.current else { preconditionFailure("a master runs on an event loop") }
    // The status is not meant for pages of other origins.
    var application = Application(cors: .origins([]))
    try application.mount(statusBlueprint { master.status }, at: "/")
    let server = Server(application: application, loop: loop, log: log)
    try server.listen(on: socket)
    return server
}

/// Returns the environment with the settings that make the Swift runtime print a backtrace on a crash, when
/// `swift-backtrace-static` is installed next to the program or in `../libexec/aktify`.
private func withBacktraces(_ variables: [String: String]) -> [String: String] {
    guard variables["SWIFT_BACKTRACE"] ?? "" == "", let slash = Inheritance.program.lastIndex(of: "/") else {
        return variables
    }
    let folder = Inheritance.program[..<slash]
    let candidates = [folder + "/swift-backtrace-static", folder + "/../libexec/aktify/swift-backtrace-static"]
    guard let helper = candidates.first(where: { access(String($0), X_OK) == 0 }) else { return variables }
    let settings = [
        "enable=yes", "sanitize=yes", "threads=crashed", "registers=none", "images=none", "interactive=no", "color=no",
        "symbolicate=fast", "output-to=stderr", "swift-backtrace=\(helper)",
    ]
    return variables.merging(["SWIFT_BACKTRACE": settings.joined(separator: ",")]) { $1 }
}

/// Returns the environment with `POSTGRES_CONNECTIONS`, the number of connections that each worker's pool may open,
/// unless that variable is set already.
private func withConnectionLimit(_ variables: [String: String], workers: Int) -> [String: String] {
    guard variables["POSTGRES_CONNECTIONS"] ?? "" == "" else { return variables }
    return variables.merging(["POSTGRES_CONNECTIONS": String(Config.connections(workers: workers))]) { $1 }
}

/// Notifies systemd's watchdog regularly, as long as the master's event loop is alive.
private func keepAlive(_ manager: ServiceManager, _ environment: [String: String]) {
    guard let interval = ServiceManager.watchdogInterval(environment: environment), let loop = Loop.current else {
        return
    }
    manager.notifyAlive()
    loop.schedule(at: Instant.now.advanced(by: interval)) { keepAlive(manager, environment) }
}
