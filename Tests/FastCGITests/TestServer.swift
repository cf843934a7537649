import EventLoop
import Foundation
import Logging
import TestSupport
import Web

@testable import FastCGI

/// Starts a server on a loop, and runs `body` on another thread, so that the loop is free to serve the peers.
func withServer<Value: Sendable>(
    peers count: Int = 1, limits: Limits = Limits(), _ routes: @escaping @Sendable (inout Blueprint) -> Void,
    _ body: @escaping @Sendable ([Socket]) throws -> Value
) throws -> Value {
    try Loop.run {
        let loop = Loop.current!  // Sound: `run` is on a loop.
        var log = Logger(label: "test")
        log.logLevel = .critical
        var blueprint = Blueprint("test")
        routes(&blueprint)
        var application = Application(log: log)
        try application.mount(blueprint, at: "/")
        let server = Server(application: application, loop: loop, limits: limits, log: log)
        return try await server.serve(peers: count, body)
    }
}

extension Server {
    /// Runs `body` on another thread, with `count` peers of the server. Drains the server afterwards, since the server
    /// and its open connections would otherwise keep each other alive.
    func serve<Value: Sendable>(
        peers count: Int, _ body: @escaping @Sendable ([Socket]) throws -> Value
    ) async throws -> Value {
        let peers = try (0..<count).map { _ in
            var ends: [Int32] = [0, 0]
            try check("socketpair", socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends))
            try adopt(ends[0])
            return Socket(adopting: ends[1])
        }
        let outcome: Swift.Result<Value, any Error>
        do { outcome = .success(try await loop.offload { try body(peers) }) } catch { outcome = .failure(error) }
        for peer in peers { shutdown(peer.descriptor, Int32(SHUT_RDWR)) }
        await drain()
        return try outcome.get()
    }
}

/// Counts events on a loop. Sound: each test uses its own counter on one loop's thread.
final class Tally: @unchecked Sendable { var count = 0 }
