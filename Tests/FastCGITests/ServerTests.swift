import EventLoop
import Foundation
import HTTPTypes
import Logging
import Scoreboard
import TestSupport
import Testing
import Web

@testable import FastCGI

/// A server on a loop, and a peer at the other end of a socket pair.
@Suite struct ServerTests {
    private static func application() throws -> Application {
        var blueprint = Blueprint("test")
        blueprint.get("/") { _ in .json("here") }
        blueprint.post("/") { .json(Int64($0.body.count)) }
        blueprint.get("/echo") { .json([$0.target, $0.url("/x"), $0.id]) }
        blueprint.get("/long") { _ in Response(.ok, body: .bytes([UInt8](repeating: 120, count: 3 << 20))) }
        blueprint.get("/endless") { _ in
            Response(.ok, body: .stream { while true { try await $0.write([UInt8](repeating: 121, count: 10_000)) } })
        }
        blueprint.get("/pieces") { _ in
            Response(.ok, body: .stream { for piece in 0..<1000 { try await $0.write(Array("\(piece) ".utf8)) } })
        }
        blueprint.get("/broken/<bytes>") { request in
            Response(
                .ok,
                body: .stream { output in
                    try await output.write([UInt8](repeating: 122, count: Int(request.parameter("bytes")) ?? 0))
                    throw HTTPError(.serviceUnavailable, "Not now.")
                })
        }
        blueprint.get("/sleep") { _ in
            do { try await Loop.current?.sleep(for: .seconds(20)) } catch { cancelled.count += 1 }
            return .json("slept")
        }
        var application = Application()
        try application.mount(blueprint, at: "/")
        return application
    }

    /// Counts requests whose task was cancelled. Sound: used on the one loop of `withServer` only.
    final class Counter: @unchecked Sendable { var count = 0 }
    @TaskLocal static var counter = Counter()
    private static var cancelled: Counter { counter }

    /// Starts a server on a loop, and runs `body` on another thread, so that the loop is free to serve the peer.
    private func withServer<Value: Sendable>(
        limits: Limits = Limits(), slot: Slot? = nil, _ body: @escaping @Sendable (Peer) throws -> Value
    ) throws -> Value {
        try Loop.run {
            let loop = Loop.current!  // Sound: `run` is on a loop.
            var log = Logger(label: "test")
            log.logLevel = .critical
            let server = Server(
                application: try Self.application(), loop: loop, limits: limits, metrics: WorkerMetrics(slot), log: log)
            return try await server.serve(peers: 1) { try body(Peer($0[0])) }
        }
    }

    struct Peer: Sendable {
        let socket: Socket
        init(_ socket: Socket) { self.socket = socket }

        func roundTrip(_ records: [UInt8]) -> Answer {
            socket.send(records)
            return readResponse(from: socket)
        }

        /// Waits for input for at most 15 seconds, in a busy loop, so that the test continues as soon as bytes arrive.
        func waitBusily() {
            var descriptor = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            let limit = Instant.now.advanced(by: .seconds(15))
            while poll(&descriptor, 1, 0) == 0 && Instant.now < limit {}
        }
    }

    @Test func `a kept-alive connection serves several requests in succession`() throws {
        let responses = try withServer { peer in
            (0..<3).map { _ in peer.roundTrip(Records.request("GET", "/")) } + [
                peer.roundTrip(Records.request("POST", "/", body: [1, 2, 3]))
            ]
        }
        #expect(responses.map(\.status) == [200, 200, 200, 200])
        #expect(responses.map(\.body) == ["\"here\"\n", "\"here\"\n", "\"here\"\n", "3\n"])
    }

    @Test func `a request is counted before its response can be read`() throws {
        let slot = try #require(SharedScoreboard()).slot(1)
        let uncounted = try withServer(slot: slot) { peer in
            (1...2000).filter { _ in
                peer.socket.send(Records.request("GET", "/"))
                peer.waitBusily()
                let active = slot[.active]
                _ = readResponse(from: peer.socket)
                return active != 0
            }
        }
        #expect(uncounted == [] && slot.histograms.flatMap(\.counts).reduce(0, +) == 2000)
    }

    @Test func `a connection without FCGI_KEEP_CONN is closed after its response`() throws {
        let (response, rest) = try withServer {
            ($0.roundTrip(Records.request("GET", "/", keep: false)), $0.socket.receiveAll())
        }
        #expect(response.status == 200 && rest.isEmpty)
    }

    @Test func `the request is made from the params`() throws {
        let params = [
            ("HTTP_HOST", "example.org:81"), ("REQUEST_SCHEME", "https"), ("REQUEST_ID", "server-1"), ("HTTP_X", ""),
        ]
        let response = try withServer { $0.roundTrip(Records.request("GET", "/echo?a=%20", params: params)) }
        #expect(response.body == #"["/echo?a=%20","https://example.org:81/x","server-1"]"# + "\n")
        let named = try withServer {
            $0.roundTrip(
                Records.request(
                    "GET", "/echo",
                    params: [("SERVER_NAME", "s"), ("SERVER_PORT", "82"), ("HTTP_X_REQUEST_ID", "mine")]))
        }
        #expect(named.body == #"["/echo","http://s:82/x","mine"]"# + "\n")
    }

    @Test(arguments: ["", "G ET", "GET\u{1}", "GET,", "é", "get", "-"])
    func `a missing or invalid method gets 405 and runs no handler`(method: String) throws {
        let response = try withServer { $0.roundTrip(Records.request(method, "/")) }
        #expect(response.status == 405 && response.headers["allow"] == "GET, HEAD, OPTIONS, POST")
    }

    @Test(arguments: [1, 5, 100])
    func `a request that arrives in pieces gets the same response as one that arrives at once`(size: Int) throws {
        let body = [UInt8](repeating: 7, count: 5000)
        let response = try withServer { peer in
            let bytes = Records.request("POST", "/", body: body)
            for start in stride(from: 0, to: bytes.count, by: size == 1 ? 97 : size * 50) {
                peer.socket.send(Array(bytes[start..<min(start + (size == 1 ? 97 : size * 50), bytes.count)]))
                usleep(200)
            }
            return readResponse(from: peer.socket)
        }
        #expect(response.body == "5000\n")
    }

    @Test func `two requests in one packet both get responses, in order`() throws {
        let responses = try withServer { peer in
            peer.socket.send(Records.request("POST", "/", body: [1]) + Records.request("GET", "/"))
            return [readResponse(from: peer.socket), readResponse(from: peer.socket)]
        }
        #expect(responses.map(\.body) == ["1\n", "\"here\"\n"])
    }

    @Test func `a body larger than the socket's buffer arrives completely`() throws {
        let response = try withServer {
            $0.roundTrip(Records.request("POST", "/", body: [UInt8](repeating: 1, count: 1 << 20)))
        }
        #expect(response.body == "1048576\n")
    }

    @Test func `a body over the limit gets 413, and the connection stays usable`() throws {
        for count in [101, 300_000] {
            let responses = try withServer(limits: Limits(bodyBytes: 100)) { peer in
                [
                    peer.roundTrip(Records.request("POST", "/", body: [UInt8](repeating: 1, count: count))),
                    peer.roundTrip(Records.request("GET", "/")),
                ]
            }
            #expect(responses.map(\.status) == [413, 200])
        }
    }

    @Test func `a long response waits for a slow peer`() throws {
        let long = try withServer { peer in
            peer.socket.send(Records.request("GET", "/long"))
            usleep(100_000)
            return readResponse(from: peer.socket)
        }
        #expect(long.body.utf8.count == 3 << 20)
        #expect(long.headers["content-length"] == String(3 << 20))
    }

    @Test func `a stream arrives completely and in order`() throws {
        let response = try withServer { $0.roundTrip(Records.request("GET", "/pieces")) }
        #expect(response.body == (0..<1000).map { "\($0) " }.joined())
    }

    @Test func `a stream that fails is closed without END_REQUEST, so that it is not taken for complete`() throws {
        let bytes = try withServer { peer in
            peer.socket.send(Records.request("GET", "/broken/100000"))
            return peer.socket.receiveAll()
        }
        // The last record is not END_REQUEST.
        #expect(!bytes.isEmpty && bytes.suffix(16).allSatisfy { $0 == 122 })
    }

    @Test(arguments: [0, 4000]) func `a stream that fails before anything was sent becomes an error response`(
        count: Int
    ) throws {
        let response = try withServer { $0.roundTrip(Records.request("GET", "/broken/\(count)")) }
        #expect(response.status == 503 && response.body.contains("Not now."))
    }

    @Test func `the connection of a peer that reads nothing is closed`() throws {
        let received = try withServer(limits: Limits(peerTimeout: .milliseconds(500))) { peer in
            peer.socket.send(Records.request("GET", "/endless"))
            usleep(3_000_000)
            return peer.socket.receiveAll().count
        }
        #expect(received < 4 << 20)
    }

    @Test func `a disconnect cancels the request`() throws {
        let counter = Counter()
        try ServerTests.$counter.withValue(counter) {
            try withServer { peer in
                peer.socket.send(Records.request("GET", "/sleep"))
                usleep(50_000)
                shutdown(peer.socket.descriptor, Int32(SHUT_RDWR))
                usleep(200_000)
            }
        }
        #expect(counter.count == 1)
    }

    @Test func `a request that takes too long gets 504, and the connection stays usable`() throws {
        let responses = try withServer(limits: Limits(requestTimeout: .milliseconds(200))) { peer in
            (peer.roundTrip(Records.request("GET", "/sleep")), peer.roundTrip(Records.request("GET", "/")))
        }
        #expect(responses.0.status == 504 && responses.0.body.contains("The request timed out."))
        #expect(responses.1.status == 200 && responses.1.body == "\"here\"\n")
    }

    @Test func `a protocol violation closes the connection without a response`() throws {
        let bytes = try withServer { peer in
            peer.socket.send([9, 9, 9, 9, 9, 9, 9, 9])
            return peer.socket.receiveAll()
        }
        #expect(bytes.isEmpty)
    }
}
