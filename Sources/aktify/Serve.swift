import AktifyAPI
import ArgumentParser
import EventLoop
import FastCGI
import Glibc
import Logging
import Migrations
import Supervisor

/// Keeps workers answering FastCGI requests.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep worker processes answering FastCGI requests.",
        discussion: """
            Signals: TERM and QUIT finish what runs and end; INT too, and a second one ends at once. HUP replaces the workers one by \
            one, by the program and the variables as they are then; when a new one does not get ready, the old ones go on. USR2 \
            does the same and replaces this process too, under the same id. TTIN and TTOU: one worker more or less. WINCH: no \
            worker, until HUP.
            """)

    @Option(help: "Where to listen: unix:PATH, HOST:PORT or [IPv6]:PORT.", transform: ListenAddress.init(_:))
    var listen: ListenAddress?

    @Option(help: "Worker processes, each with one event loop. (default: the number of cores)")
    var workers = sysconf(Int32(_SC_NPROCESSORS_ONLN))

    @Option(help: "The folder that has versions/*.sql: the revisions that the schema must be at.")
    var migrations = "migrations"

    @Option(
        help: "A file of lines NAME=VALUE, read anew for each generation of workers; they win over the environment.")
    var envFile: String?

    @Option(help: "A file to write this process's id to.")
    var pidFile: String?

    @Option(help: "Seconds that a worker may take until it is ready.")
    var startupTimeout = 10

    @Option(help: "Seconds that a worker may take to finish what it does.")
    var gracefulTimeout = 35

    @Flag(help: "Look whether the configuration and the revisions make sense, and start nothing.")
    var check = false

    func validate() throws {
        guard workers >= 1 else { throw ValidationError("--workers must be 1 or more, not \(workers).") }
        guard startupTimeout >= 1, gracefulTimeout >= 0 else {
            throw ValidationError("A timeout is a positive number of seconds.")
        }
    }

    func run() throws {
        Signals.block(Master.signals)
        let environment = processEnvironment()
        _ = try loadConfig(try variables())
        _ = try ScriptDirectory(migrations).graph()
        if check { return print("The configuration is fine.") }
        let inheritance = Inheritance(environment: environment)
        let listener = try listener(environment, inheritance)
        try writePidFile()
        defer { if let pidFile { unlink(pidFile) } }
        try Loop.run { [options = try options()] in
            let log = Logger(label: "aktify.master")
            let manager = ServiceManager(environment: environment)
            keepAlive(manager, environment)
            log.info("master", metadata: ["pid": "\(getpid())", "workers": "\(options.workers)"])
            try await Master(options, listener: listener.descriptor, log: log, notifier: manager).run(
                inheriting: inheritance)
        }
        withExtendedLifetime(listener) {}
    }

    private func options() throws -> Master.Options {
        let command = [Inheritance.program, "worker", "--loops", "1", "--migrations", migrations]
        var options = Master.Options(workers: workers, command: command, environment: { try variables() })
        options.startupTimeout = .seconds(startupTimeout)
        options.gracefulTimeout = .seconds(gracefulTimeout)
        return options
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
        guard let listen else {
            throw ValidationError("Say where to listen: --listen unix:PATH, or start it with a listening socket.")
        }
        return try ListeningSocket.bind(listen)
    }

    private func writePidFile() throws {
        guard let pidFile else { return }
        guard let file = fopen(pidFile, "w") else {
            throw Complaint("cannot write \(pidFile): \(String(cString: strerror(errno)))")
        }
        fputs("\(getpid())\n", file)
        fclose(file)
    }
}

/// Tells systemd's watchdog that the master's loop turns.
private func keepAlive(_ manager: ServiceManager, _ environment: [String: String]) {
    guard let interval = ServiceManager.watchdogInterval(environment: environment), let loop = Loop.current else {
        return
    }
    manager.alive()
    loop.schedule(at: Instant.now.advanced(by: interval)) { keepAlive(manager, environment) }
}
