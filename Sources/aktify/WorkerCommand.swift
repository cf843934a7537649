import AktifyAPI
import ArgumentParser
import EventLoop
import FastCGI
import Glibc
import Logging
import Migrations
import Supervisor

/// `aktify worker`: handles FastCGI requests in this process, until a signal stops it.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Handle FastCGI requests in a single process, without a master, under another process manager.",
        discussion: """
            For spawn-fcgi, supervisord's fcgi-program and systemd socket activation. An inherited listening socket \
            (LISTEN_FDS, or descriptor 0) takes precedence over --listen. SIGTERM, SIGQUIT, SIGINT, SIGHUP and SIGUSR1 \
            start a graceful stop, in which requests in progress are finished; meanwhile a SIGINT exits immediately, \
            and the other signals are ignored.
            """)

    @Option(
        help: ArgumentHelp(
            "The address to listen on: unix:PATH, HOST:PORT or [IPv6]:PORT. (default: $LISTEN)", valueName: "address"),
        transform: ListenAddress.init(_:))
    var listen: ListenAddress?

    @Option(
        help: ArgumentHelp(
            "The number of event loops; each has its own thread and connection pool. One per core by default.",
            valueName: "count"))
    var loops = sysconf(Int32(_SC_NPROCESSORS_ONLN))

    @Option(
        help: ArgumentHelp(
            "The migrations directory, with versions/*.sql. The database must be at its head.",
            valueName: "directory"))
    var migrations = "migrations"

    func validate() throws {
        guard loops >= 1 else { throw ValidationError("--loops must be at least 1, not \(loops).") }
    }

    func run() throws {
        Signals.block(WorkerCommand.drainSignals)
        StandardError.stopBlocking()
        // These are addressed to the master. A worker must not be terminated or stopped by them.
        for number in [SIGUSR2, SIGTTIN, SIGTTOU, SIGALRM] { signal(number, SIG_IGN) }
        let environment = processEnvironment()
        var config = try loadConfig(environment)
        try config.requireAuthentication()
        let graph = try ScriptDirectory(migrations).graph()
        let log = Logger(label: "aktify.worker")
        if config.owner != nil {
            let slot = WorkerSide.slot(environment: environment)
            _ = try prepareSchema(graph, config, signals: WorkerCommand.drainSignals, slot: slot, log: log)
            try forgetOwner(environment)
        }
        // Attach before the schema check, which may take long, so that this process exits when its master does.
        let slot = WorkerSide.attachToMaster(environment: environment)
        config = try prepareSchema(graph, config, signals: WorkerCommand.drainSignals, slot: slot, log: log)
        let worker = try Worker(config: config, graph: graph, loops: slot == nil ? loops : 1, slot: slot)
        try Loop.run {
            try await worker.run(until: WorkerCommand.drainSignals, listen: { try listener(environment) }) {
                if slot != nil { WorkerSide.notifyReady() }
            }
        }
    }

    /// The signals that make a worker drain.
    static let drainSignals = [SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1]

    private func listener(_ environment: [String: String]) throws -> ListeningSocket {
        if let socket = ListeningSocket.inherited(environment: environment) { return socket }
        guard let listen = try listen ?? address("LISTEN", in: environment) else {
            throw ValidationError("No address to listen on: pass --listen, set LISTEN, or pass a listening socket.")
        }
        return try ListeningSocket.bind(listen)
    }
}
