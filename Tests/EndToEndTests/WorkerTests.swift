import Foundation
import TestSupport
import Testing

/// The robustness of a worker, and how it stops.
@Suite struct WorkerTests {
    private func kept(_ target: String) -> [UInt8] { Records.request("GET", target) }

    @Test func `1,000 idle kept-alive connections cause no delay`() throws {
        let stack = try Stack(loops: 1)
        let idle = try (0..<1000).map { _ in try Socket(path: stack.socketPath) }
        for socket in idle {
            socket.send(kept("/"))
            #expect(readResponse(from: socket).status == 200)
        }
        let answer = try timed { try stack.fastCGI(kept("/")) }
        #expect(answer.value.status == 200 && answer.seconds < 0.1)
        idle[999].send(kept("/"))
        #expect(readResponse(from: idle[999]).status == 200)
    }

    @Test func `with every Postgres connection busy, requests that need none are handled immediately`() throws {
        let stack = try Stack(loops: 1, environment: ["STATEMENT_TIMEOUT_MS": "20000"])
        let lock = try Lock(on: stack.database)
        let readers = try (0..<10).map { _ in try Socket(path: stack.socketPath) }
        for reader in readers { reader.send(kept("/campaigns/1")) }
        usleep(200_000)
        let answer = try timed { try stack.get("/") }
        #expect(answer.value.status == 200 && answer.seconds < 0.1)
        lock.release()
        #expect([404, 503].contains(readResponse(from: readers[0]).status))
    }

    @Test func `requests that wait for too long get 504, and the worker keeps running`() throws {
        let stack = try Stack(loops: 1, environment: ["STATEMENT_TIMEOUT_MS": "20000", "REQUEST_TIMEOUT_MS": "500"])
        let lock = try Lock(on: stack.database)
        let readers = try (0..<200).map { _ in try Socket(path: stack.socketPath) }
        for reader in readers { reader.send(kept("/campaigns/1")) }
        usleep(100_000)
        let answer = try timed { try stack.get("/healthz") }
        #expect(answer.value.status == 200 && answer.seconds < 0.1)
        #expect(readers.map { readResponse(from: $0).status } == Array(repeating: 504, count: 200))
        #expect(!stack.worker.hasEnded)
        lock.release()
        try waitUntil("it answers again") { try stack.get("/campaigns/").status == 200 }
    }

    @Test func `a peer that stalls in the middle of a request delays nobody, and its connection is closed`() throws {
        let stack = try Stack(loops: 1)
        let silent = try Socket(path: stack.socketPath)
        silent.send(Array(kept("/").prefix(20)))
        let answer = try timed { try stack.fastCGI(kept("/")) }
        #expect(answer.value.status == 200 && answer.seconds < 0.1)
        let cutOff = timed { silent.receiveAll() }
        #expect(cutOff.value.isEmpty && cutOff.seconds < 14)
    }

    @Test func `packets that crash libfcgi, and 10,000 random ones, do not stop the worker`() throws {
        let stack = try Stack()
        var lengths = Records()
        lengths.begin()
        lengths.stream(4, [0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfe])
        lengths.stream(5, [])
        var values = Records()
        values.begin()
        values.add(9, Records.pairs([(String, String)](repeating: ("FCGI_MAX_CONNS", ""), count: 6)), id: 0)
        for bytes in [lengths.bytes, values.bytes + [0], Array(values.bytes.dropFirst(16)) + [0]] {
            let socket = try Socket(path: stack.socketPath)
            socket.send(bytes)
            #expect(socket.receiveAll().isEmpty)
        }
        let whole = Records.request("POST", "/campaigns/", body: [1, 2, 3])
        for _ in 0..<10_000 {
            var bytes = (0..<Int.random(in: 1...100)).map { _ in UInt8.random(in: 0...255) }
            switch Int.random(in: 0...2) {
            case 0: bytes = whole.prefix(.random(in: 0..<whole.count)) + bytes
            case 1:
                bytes = whole
                bytes[.random(in: 0..<whole.count)] = .random(in: 0...255)
            default: break
            }
            try Socket(path: stack.socketPath).send(bytes)
        }
        #expect(!stack.worker.hasEnded, "\(stack.worker.log.suffix(2000))")
        #expect(try stack.get("/").status == 200)
        #expect(try stack.campaigns == 0)
    }

    @Test func `an idle worker exits within a second of SIGTERM`() throws {
        let stack = try Stack()
        #expect(try stack.get("/campaigns/").status == 200)
        stack.worker.signal(SIGTERM)
        let end = timed { stack.worker.wait(seconds: 5) }
        #expect(end.value == 0 && end.seconds < 1)
    }

    @Test func `a request in progress is finished after SIGTERM`() throws {
        let stack = try Stack()
        try stack.database.sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$"
        )
        try stack.database.sql("CREATE TRIGGER slow BEFORE INSERT ON campaign FOR EACH ROW EXECUTE FUNCTION slow()")
        let socket = try Socket(port: stack.port)
        let body = #"{"name":"a"}"#
        socket.send(
            Array(
                "POST /campaigns/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                    .utf8))
        usleep(300_000)
        stack.worker.signal(SIGTERM)
        #expect(Answer(socket.receiveAll()).status == 201)
        #expect(stack.worker.wait(seconds: 5) == 0)
        #expect(try stack.campaigns == 1)
    }

    @Test func `SIGINT ends a draining worker immediately`() throws {
        let stack = try Stack(loops: 1)
        let idle = try Socket(path: stack.socketPath)
        idle.send(kept("/"))
        #expect(readResponse(from: idle).status == 200)
        stack.worker.signal(SIGTERM)
        try waitUntil("it drains") { stack.worker.log.contains("draining") }
        idle.send(kept("/"))
        #expect(readResponse(from: idle).status == 200)
        #expect(!stack.worker.hasEnded)
        stack.worker.signal(SIGINT)
        #expect(stack.worker.wait(seconds: 1) == 130)
    }

    @Test func `a worker survives running out of descriptors`() throws {
        let stack = try Stack(loops: 1, limit: 64)
        var crowd = try (0..<100).map { _ in try Socket(path: stack.socketPath) }
        try waitUntil("the lack is logged") { stack.worker.log.contains("cannot accept") }
        crowd.removeAll()
        try waitUntil("it answers again") { try stack.get("/").status == 200 }
        #expect(stack.worker.log.components(separatedBy: "cannot accept").count < 10)
    }

    @Test func `a stale socket is replaced; one in use and other files are rejected in one sentence`() throws {
        let stack = try Stack()
        let mode = try FileManager.default.attributesOfItem(atPath: stack.socketPath)[.posixPermissions] as? Int
        #expect(mode == 0o660)
        func serve(_ path: String) throws -> (status: Int32, output: String) {
            try runToEnd(
                [Stack.program, "worker", "--listen", "unix:\(path)"], environment: stack.database.environment)
        }
        let live = try serve(stack.socketPath)
        #expect(
            live.status == 1
                && live.output
                    == """
                    Error: another process is already listening on \(stack.socketPath): stop it, or choose another path

                    """
        )
        let file = "\(stack.folder.path)/file"
        try Data().write(to: URL(filePath: file))
        let other = try serve(file)
        #expect(other.status == 1 && other.output.hasPrefix("Error: \(file) exists and is not a socket"))
        stack.worker.signal(SIGKILL)
        _ = stack.worker.wait(seconds: 5)
        let next = try Child(
            [Stack.program, "worker", "--listen", "unix:\(stack.socketPath)"], environment: stack.database.environment,
            output: "\(stack.folder.path)/next.log")
        try waitUntil("the socket is taken over: \(next.log)") { next.log.contains("ready") }
        #expect(try stack.get("/").status == 200)
    }

    @Test func `a configuration error is one line, and a non-zero exit status`() throws {
        for command in [["serve", "--listen", "127.0.0.1:0"], ["db", "upgrade"]] {
            let (status, output) = try runToEnd([Stack.program] + command, environment: ["POSTGRES_PORT": "x"])
            #expect(
                status != 0 && output == "Error: POSTGRES_PORT: expected a whole number from 1 to 65535, not \"x\"\n")
        }
        #expect(try runToEnd([Stack.program, "worker"]).status == 2)
    }
}
