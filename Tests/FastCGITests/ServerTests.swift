import EventLoop
import Foundation
import HTTPTypes
import Logging
import Scoreboard
import TestSupport
import Testing
import Web

@testable import FastCGI

/// A server on a loop, and a peer at the other end of a socketpair.
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

    /// Counts requests whose task was cancelled. Sound: touched on the one loop of `withServer` only.
    final class Counter: @unchecked Sendable { var count = 0 }
    @TaskLocal static var counter = Counter()
    private static var cancelled: Counter { counter }

    /// Runs `body` with a peer of a server, on a thread of its own: the loop is free meanwhile.
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

        func ask(_ records: [UInt8]) -> Answer {
            socket.send(records)
            return readResponse(from: socket)
        }

        /// Waits for bytes without sleeping, 15 seconds at most, so that it is back as soon as they are there.
        func waitBusily() {
            var descriptor = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            let limit = Instant.now.advanced(by: .seconds(15))
            while poll(&descriptor, 1, 0) == 0 && Instant.now < limit {}
        }
    }

    @Test func `a kept connection answers one request after the other`() throws {
        let answers = try withServer { peer in
            (0..<3).map { _ in peer.ask(Records.request("GET", "/")) } + [
                peer.ask(Records.request("POST", "/", body: [1, 2, 3]))
            ]
        }
        #expect(answers.map(\.status) == [200, 200, 200, 200])
        #expect(answers.map(\.body) == ["\"here\"\n", "\"here\"\n", "\"here\"\n", "3\n"])
    }

    @Test func `a request is counted before its answer can be read`() throws {
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

    @Test func `a connection that is not to be kept is closed after its response`() throws {
        let (answer, rest) = try withServer {
            ($0.ask(Records.request("GET", "/", keep: false)), $0.socket.receiveAll())
        }
        #expect(answer.status == 200 && rest.isEmpty)
    }

    @Test func `params become the request`() throws {
        let params = [
            ("HTTP_HOST", "example.org:81"), ("REQUEST_SCHEME", "https"), ("REQUEST_ID", "server-1"), ("HTTP_X", ""),
        ]
        let answer = try withServer { $0.ask(Records.request("GET", "/echo?a=%20", params: params)) }
        #expect(answer.body == #"["/echo?a=%20","https://example.org:81/x","server-1"]"# + "\n")
        let named = try withServer {
            $0.ask(
                Records.request(
                    "GET", "/echo",
                    params: [("SERVER_NAME", "s"), ("SERVER_PORT", "82"), ("HTTP_X_REQUEST_ID", "mine")]))
        }
        #expect(named.body == #"["/echo","http://s:82/x","mine"]"# + "\n")
    }

    @Test(arguments: ["", "G ET", "GET\u{1}", "GET,", "é", "get", "-"])
    func `a method that is missing or is none runs no handler`(method: String) throws {
        let answer = try withServer { $0.ask(Records.request(method, "/")) }
        #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD, OPTIONS, POST")
    }

    @Test(arguments: [1, 5, 100]) func `a request that arrives in pieces is answered like a whole one`(size: Int) throws
    {
        let body = [UInt8](repeating: 7, count: 5000)
        let answer = try withServer { peer in
            let bytes = Records.request("POST", "/", body: body)
            for start in stride(from: 0, to: bytes.count, by: size == 1 ? 97 : size * 50) {
                peer.socket.send(Array(bytes[start..<min(start + (size == 1 ? 97 : size * 50), bytes.count)]))
                usleep(200)
            }
            return readResponse(from: peer.socket)
        }
        #expect(answer.body == "5000\n")
    }

    @Test func `two requests in one packet are both answered, in order`() throws {
        let answers = try withServer { peer in
            peer.socket.send(Records.request("POST", "/", body: [1]) + Records.request("GET", "/"))
            return [readResponse(from: peer.socket), readResponse(from: peer.socket)]
        }
        #expect(answers.map(\.body) == ["1\n", "\"here\"\n"])
    }

    @Test func `a body larger than the socket's buffer arrives whole`() throws {
        let answer = try withServer {
            $0.ask(Records.request("POST", "/", body: [UInt8](repeating: 1, count: 1 << 20)))
        }
        #expect(answer.body == "1048576\n")
    }

    @Test func `a body over the limit is 413, and the connection goes on`() throws {
        for count in [101, 300_000] {
            let answers = try withServer(limits: Limits(bodyBytes: 100)) { peer in
                [
                    peer.ask(Records.request("POST", "/", body: [UInt8](repeating: 1, count: count))),
                    peer.ask(Records.request("GET", "/")),
                ]
            }
            #expect(answers.map(\.status) == [413, 200])
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

    @Test func `a stream arrives in order and whole`() throws {
        let answer = try withServer { $0.ask(Records.request("GET", "/pieces")) }
        #expect(answer.body == (0..<1000).map { "\($0) " }.joined())
    }

    @Test func `a stream that fails is cut off, so that nobody takes it for whole`() throws {
        let bytes = try withServer { peer in
            peer.socket.send(Records.request("GET", "/broken/100000"))
            return peer.socket.receiveAll()
        }
        // The last record is none that ends a request.
        #expect(!bytes.isEmpty && bytes.suffix(16).allSatisfy { $0 == 122 })
    }

    @Test(arguments: [0, 4000]) func `a stream that fails before anything was sent is an error`(count: Int) throws {
        let answer = try withServer { $0.ask(Records.request("GET", "/broken/\(count)")) }
        #expect(answer.status == 503 && answer.body.contains("Not now."))
    }

    @Test func `a peer that reads nothing is cut off`() throws {
        let received = try withServer(limits: Limits(patience: .milliseconds(500))) { peer in
            peer.socket.send(Records.request("GET", "/endless"))
            usleep(3_000_000)
            return peer.socket.receiveAll().count
        }
        #expect(received < 4 << 20)
    }

    @Test func `a peer that goes away cancels its request`() throws {
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

    @Test func `an answer that takes too long is given up with 504, and the connection goes on`() throws {
        let answers = try withServer(limits: Limits(answer: .milliseconds(200))) { peer in
            (peer.ask(Records.request("GET", "/sleep")), peer.ask(Records.request("GET", "/")))
        }
        #expect(answers.0.status == 504 && answers.0.body.contains("The answer took too long."))
        #expect(answers.1.status == 200 && answers.1.body == "\"here\"\n")
    }

    @Test func `a refused peer is cut off without a word`() throws {
        let bytes = try withServer { peer in
            peer.socket.send([9, 9, 9, 9, 9, 9, 9, 9])
            return peer.socket.receiveAll()
        }
        #expect(bytes.isEmpty)
    }
}
