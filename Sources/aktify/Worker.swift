import AktifyAPI
import EventLoop
import FastCGI
import Glibc
import Logging
import Migrations
import ORM
import Scoreboard
import Supervisor
import Web

/// A worker process, with one or more event loops. Each loop has its own application, connection pool and server; the
/// loops share only the listening socket.
final class Worker: Sendable {
    private let config: Config
    private let graph: RevisionGraph
    private let loops: [Loop]
    /// The worker's slot in the master's scoreboard; `nil` without a master. A worker that has a master has one event
    /// loop.
    private let slot: Slot?
    private let log = Logger(label: "aktify.worker")

    init(config: Config, graph: RevisionGraph, loops count: Int, slot: Slot?) throws {
        (self.config, self.graph, self.slot) = (config, graph, slot)
        loops = try (0..<count).map { _ in try Loop() }
    }

    /// Serves requests until one of `signals` arrives, then drains.
    /// - Parameters:
    ///   - listen: creates the socket to accept from. Only the servers own the socket, so it is closed when they drain.
    ///   - ready: called as soon as connections are accepted.
    func run(
        until signals: [Int32], listen: @Sendable () throws -> ListeningSocket, whenReady ready: () -> Void
    ) async throws {
        let threads = try loops.map { try $0.runOnNewThread() }
        let servers = try await startServers(on: listen())
        ready()
        log.info("the worker is ready", metadata: ["loops": "\(loops.count)"])
        let signal = try await firstSignal(of: signals)
        log.info("the worker is draining", metadata: ["signal": "\(String(cString: strsignal(signal)))"])
        await drain(servers)
        for (loop, thread) in zip(loops, threads) {
            loop.stop()
            pthread_join(thread, nil)
        }
    }

    private func startServers(on listener: ListeningSocket) async throws -> [Server] {
        var servers: [Server] = []
        for loop in loops { servers.append(try await startServer(on: loop, listener)) }
        return servers
    }

    /// Starts a server with its own application. Both are created on the event loop's thread, since everything that the
    /// application opens is bound to that loop.
    private func startServer(on loop: Loop, _ listener: ListeningSocket) async throws -> Server {
        try await Task(executorPreference: loop) { [config, graph, slot, log] in
            let limits = Limits(bodyBytes: config.maxBodyBytes, requestTimeout: config.requestTimeout)
            let database = Database(config.database)
            let app = try createApp(config, database: database)
            // Connects to the database now, so that the first request does not have to wait for that.
            _ = await app.respond(to: Request(method: .get, target: "/readyz"))
            let metrics = WorkerMetrics(slot)
            let server = Server(
                application: app, loop: loop, limits: limits, metrics: metrics, log: log,
                logsRequests: config.logsRequests)
            try server.listen(on: listener)
            let heartbeat = Heartbeat(metrics.slot, database, loop, hasMaster: slot != nil)
            heartbeat.beat(slowRequest: config.slowRequest, log)
            if let slot {
                let health = HealthService(database, schema: config.schema)
                DatabaseWatch(slot, graph, loop, versions: health.versions).begin()
            }
            return server
        }.value
    }

    /// Waits for the first of `signals` and returns it. Later signals are ignored, since a service manager may signal
    /// both the master and its workers; but a further SIGINT (Ctrl-C pressed again) exits immediately.
    private func firstSignal(of signals: [Int32]) async throws -> Int32 {
        guard let loop = Loop.current else { preconditionFailure("a worker runs on an event loop") }
        let first = Waiter<Int32>(on: loop)
        _ = try Signals.watch(signals, on: loop) { signal in
            if first.isResumed, signal == SIGINT { exit(128 + signal) }
            first.resume(returning: signal)
        }
        return try await first.value()
    }

    private func drain(_ servers: [Server]) async {
        await withTaskGroup(of: Void.self) { group in
            for (loop, server) in zip(loops, servers) {
                group.addTask(executorPreference: loop) { await server.drain() }
            }
        }
    }
}
