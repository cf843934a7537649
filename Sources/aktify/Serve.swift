import AktifyAPI
import ArgumentParser
import EventLoop
import FastCGI
import Glibc
import Logging

/// Answers FastCGI requests until it is told to stop.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer FastCGI requests until SIGTERM or SIGQUIT, then finish what runs.",
        discussion: """
            A listening socket that this process was started with (LISTEN_FDS, or descriptor 0) wins over --listen.
            """)

    @Option(help: "Where to listen: unix:PATH, HOST:PORT or [IPv6]:PORT.", transform: ListenAddress.init(_:))
    var listen: ListenAddress?

    @Option(help: "Event loops, each with a thread and connections of its own. (default: the number of cores)")
    var loops = sysconf(Int32(_SC_NPROCESSORS_ONLN))

    func validate() throws {
        guard loops >= 1 else { throw ValidationError("--loops must be 1 or more, not \(loops).") }
    }

    func run() throws {
        Signals.block(Serve.endings)
        let environment = processEnvironment()
        let worker = try Worker(config: loadConfig(environment), loops: loops)
        try Loop.run { try await worker.run(until: Serve.endings) { try listener(environment) } }
    }

    /// What asks a worker to drain; a second one ends it at once.
    static let endings = [SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1]

    private func listener(_ environment: [String: String]) throws -> ListeningSocket {
        if let socket = ListeningSocket.inherited(environment: environment) { return socket }
        guard let listen else {
            throw ValidationError("Say where to listen: --listen unix:PATH, or start it with a listening socket.")
        }
        return try ListeningSocket.bind(listen)
    }
}
