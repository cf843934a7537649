import EventLoop
import Glibc
import Logging
import Synchronization
import TestSupport

@testable import FastCGI
@testable import Web

extension FuzzTarget {
    /// A server that has received arbitrary records still responds to the next peer.
    static let server = FuzzTarget(name: "server") { input in
        try FuzzedServer.shared.get().feed(input)
    }
}

/// A server on a separate event loop, which exists until the process ends.
private final class FuzzedServer: Sendable {
    static let shared = Swift.Result { try FuzzedServer() }

    private let listener: ListeningSocket
    private let path = "/tmp/aktify-fuzz-\(getpid()).sock"

    private init() throws {
        listener = try ListeningSocket.bind(.unix(path))
        let loop = try Loop()
        let started = Completion()
        let listener = listener
        Task(executorPreference: loop) {
            var log = Logger(label: "fuzz")
            log.logLevel = .critical
            var blueprint = Blueprint("fuzz")
            blueprint.get("/") { _ in .json("here") }
            blueprint.post("/") { .json(Int64($0.body.count)) }
            var application = Application(log: log)
            do { try application.mount(blueprint, at: "/") } catch { fatalError("\(error)") }
            let server = Server(
                application: application, loop: loop, limits: Limits(bodyBytes: 4096, paramsBytes: 4096), log: log)
            do { try server.listen(on: listener) } catch { fatalError("\(error)") }
            started.signal()
            // The task keeps the server alive until the process ends.
            try await loop.sleep(for: .seconds(100_000))
            withExtendedLifetime(server) {}
        }
        try loop.runOnNewThread()
        started.wait()
        unlinkAtExit(path)
    }

    func feed(_ input: [UInt8]) throws {
        let peer = try Socket(path: path)
        let half = input.count / 2
        peer.send(Array(input[..<half]))
        peer.send(Array(input[half...]))
        shutdown(peer.descriptor, Int32(SHUT_WR))
        _ = peer.receiveAll()
        let next = try Socket(path: path)
        next.send(Records.request("GET", "/", keep: false))
        let response = readResponse(from: next)
        try require(response.status == 200, "the next peer received the status \(response.status)")
    }
}

/// Lets a thread wait for another thread.
private final class Completion: Sendable {
    private let isComplete = Atomic(false)

    func signal() { isComplete.store(true, ordering: .releasing) }

    func wait() { while !isComplete.load(ordering: .acquiring) { usleep(100) } }
}

private let socketPath = Mutex("")

private func unlinkAtExit(_ path: String) {
    socketPath.withLock { $0 = path }
    atexit { socketPath.withLock { _ = unlink($0) } }
}
