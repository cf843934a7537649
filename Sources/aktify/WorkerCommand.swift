import AktifyAPI
import ArgumentParser
import EventLoop
import FastCGI
import Glibc
import Logging
import Migrations
import Supervisor

/// Answers FastCGI requests in this process, until it is told to stop.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Answer FastCGI requests in one process, under somebody else's care.",
        discussion: """
            For spawn-fcgi, supervisord's fcgi-program and systemd's sockets. A listening socket that it was started with \
            (LISTEN_FDS, or descriptor 0) wins over --listen. SIGTERM, SIGQUIT, SIGINT, SIGHUP and SIGUSR1 let it finish what runs; \
            while it does, SIGINT ends it at once, and the others change nothing.
            """)

    @Option(
        help: "Where to listen: unix:PATH, HOST:PORT or [IPv6]:PORT; else $LISTEN.", transform: ListenAddress.init(_:))
    var listen: ListenAddress?

    @Option(help: "Event loops, each with a thread and connections of its own. (default: the number of cores)")
    var loops = sysconf(Int32(_SC_NPROCESSORS_ONLN))

    @Option(help: "The folder that has versions/*.sql: the revisions that the schema must be at.")
    var migrations = "migrations"

    func validate() throws {
        guard loops >= 1 else { throw ValidationError("--loops must be 1 or more, not \(loops).") }
    }

    func run() throws {
        Signals.block(WorkerCommand.endings)
        StandardError.stopBlocking()
        // They mean something to the master; here they would end or stop what is under way.
        for number in [SIGUSR2, SIGTTIN, SIGTTOU, SIGALRM] { signal(number, SIG_IGN) }
        let environment = processEnvironment()
        var config = try loadConfig(environment)
        try config.requireAuthentication()
        let graph = try ScriptDirectory(migrations).graph()
        let log = Logger(label: "aktify.worker")
        if config.owner != nil {
            let waits = !WorkerSide.hasMaster(environment: environment)
            _ = try prepareSchema(graph, config, endings: WorkerCommand.endings, waits: waits, log: log)
            try forgetOwner(environment)
        }
        // First: from here on it ends with its master.
        let slot = WorkerSide.attachToMaster(environment: environment)
        config = try prepareSchema(graph, config, endings: WorkerCommand.endings, waits: slot == nil, log: log)
        let worker = try Worker(config: config, graph: graph, loops: slot == nil ? loops : 1, slot: slot)
        try Loop.run {
            try await worker.run(until: WorkerCommand.endings, listen: { try listener(environment) }) {
                if slot != nil { WorkerSide.notifyReady() }
            }
        }
    }

    /// What asks a worker to drain.
    static let endings = [SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1]

    private func listener(_ environment: [String: String]) throws -> ListeningSocket {
        if let socket = ListeningSocket.inherited(environment: environment) { return socket }
        guard let listen = try listen ?? address(environment["LISTEN"]) else {
            throw ValidationError("Say where to listen: --listen unix:PATH, or start it with a listening socket.")
        }
        return try ListeningSocket.bind(listen)
    }
}
