import Foundation
import TestSupport
import Testing

/// Workers that crash, get stuck, or wear out: the others go on, and nobody who asked notices.
@Suite(.serialized) struct ResilienceTests {
    private func stack(
        _ workers: Int, environment: [String: String] = [:], options: [String] = []
    ) throws -> Stack {
        let stack = try Stack(environment: environment, master: ["--workers", String(workers)] + options)
        try stack.database.sql("INSERT INTO campaign (name) VALUES ('first')")
        return stack
    }

    private func processes(of stack: Stack) throws -> [(pid: pid_t, state: String, generation: Int)] {
        let processes = try #require(stack.status()["processes"] as? [[String: Any]])
        return try processes.map {
            (
                pid_t(try #require($0["pid"] as? Int)), try #require($0["state"] as? String),
                try #require($0["generation"] as? Int)
            )
        }
    }

    private func worker(of stack: Stack) throws -> pid_t { try #require(processes(of: stack).first).pid }

    private func milliseconds(_ event: [String: Any]) throws -> Double {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let time = try #require(event["time"] as? String)
        return try #require(formatter.date(from: time)).timeIntervalSince1970 * 1000
    }

    @Test func `a worker that crashes is replaced within half a second, and says where it was`() throws {
        let stack = try stack(2)
        let load = try Load(on: stack, posting: false)
        try waitUntil("both are ready") { stack.events("a worker is ready").count == 2 }
        let victim = try worker(of: stack)
        kill(victim, SIGSEGV)
        try waitUntil("its end is logged, and another's start") {
            !stack.events("a worker died").isEmpty && stack.events("a worker is ready").count == 3
        }
        load.expectNothingLost()
        let crash = try #require(stack.events("a worker crashed").first)
        let ready = try #require(stack.events("a worker is ready").last)
        let pause = try milliseconds(ready) - milliseconds(crash)
        #expect(pause < 500)
        let end = try #require(stack.events("a worker died").first)
        let backtrace = try #require(end["backtrace"] as? String)
        #expect(backtrace.contains("Program crashed") && backtrace.contains("WorkerCommand.run() + "))
        #expect(end["worker"] as? Int == Int(victim) && (end["status"] as? String)?.hasPrefix("signal 11") == true)
        #expect(try stack.status()["worker crashes"] as? Int == 1)
    }

    @Test func `a worker that crashes while a reload waits for another is replaced at once`() throws {
        let stack = try stack(2, environment: ["STATEMENT_TIMEOUT_MS": "20000"])
        let lock = try Lock(on: stack.database)
        var readers: [Socket] = []
        try waitUntil("both workers have a request that waits") {
            readers.append(try Socket(path: stack.socketPath))
            readers[readers.count - 1].send(Records.request("GET", "/campaigns/1"))
            return try processes(of: stack).count { $0.state == "Running" } == 2
        }
        stack.worker.signal(SIGHUP)
        try waitUntil("one old worker finishes, and the other runs") {
            try processes(of: stack).map(\.state).sorted() == ["Finishing", "Idle", "Running"]
        }
        let victim = try #require(try processes(of: stack).first { $0.state == "Running" })
        kill(victim.pid, SIGSEGV)
        try waitUntil("another is ready") { stack.events("a worker is ready").count == 4 }
        let crash = try #require(stack.events("a worker crashed").first)
        let ready = try #require(stack.events("a worker is ready").last)
        let pause = try milliseconds(ready) - milliseconds(crash)
        #expect(pause < 500)
        #expect(stack.events("reloaded").isEmpty)
        lock.release()
        readers = []  // A worker finishes when its peers have closed the connections that they keep.
        try waitUntil("the reload is done, and the crash is told") {
            !stack.events("reloaded").isEmpty && !stack.events("a worker died").isEmpty
        }
        #expect(try processes(of: stack).map(\.generation) == [2, 2])
        #expect(try stack.get("/campaigns/1").status == 200)
    }

    @Test func `a worker whose loop is blocked is replaced, says where, and the others lose nothing`() throws {
        let stack = try stack(2, environment: ["REQUEST_TIMEOUT_MS": "2000"])
        let load = try Load(on: stack, posting: false, patience: 20)
        let victim = try worker(of: stack)
        kill(victim, SIGSTOP)
        try waitUntil("it is replaced") { !stack.events("a worker died").isEmpty }
        let stuck = try #require(stack.events("a worker is stuck, and is replaced").first)
        #expect(stuck["worker"] as? Int == Int(victim))
        // Requests that nginx had sent it on kept connections.
        #expect((stuck["doing"] as? String)?.contains("GET /campaigns/1: ") ?? false || stuck["requests"] as? Int == 0)
        let end = try #require(stack.events("a worker died").first)
        #expect((end["backtrace"] as? String)?.contains("Loop.run") == true)
        load.expectNothingLost()
        let status = try stack.status()
        #expect(status["stuck workers"] as? Int == 1 && status["worker crashes"] as? Int == 0)
        #expect(status["total processes"] as? Int == 2)
    }

    @Test(arguments: [["--max-requests", "2000"], ["--max-rss", "1"]])
    func `worn workers are replaced one at a time, and no request is lost`(options: [String]) throws {
        let stack = try stack(3, options: options)
        let load = try Load(on: stack)
        try waitUntil("six are recycled") { try stack.status()["recycled"] as? Int ?? 0 >= 6 }
        load.expectNothingLost()
        // Each is gone before the next one's turn comes.
        let messages = ["recycling a worker", "a worker has ended"]
        let events = stack.worker.log.split(separator: "\n").compactMap { line in
            messages.first { line.contains("\"message\":\"\($0)\"") }
        }
        #expect(events.count >= 12)
        for (place, message) in events.enumerated() { #expect(message == messages[place % 2]) }
    }

    @Test func `a client that goes away frees the connection that its write had for itself`() throws {
        let stack = try stack(1, environment: ["STATEMENT_TIMEOUT_MS": "20000"])
        try stack.database.sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NEW; END $$"
        )
        try stack.database.sql("CREATE TRIGGER slow BEFORE INSERT ON campaign FOR EACH ROW EXECUTE FUNCTION slow()")
        func writes() throws -> String {
            try stack.database.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT INTO campaign%'")
        }
        let folder = try Folder()
        let client = try Child(
            [
                "curl", "-s", "http://127.0.0.1:\(stack.port)/campaigns/", "-H", "Content-Type: application/json", "-d",
                #"{"name":"slow"}"#,
            ], output: "\(folder.path)/output")
        try waitUntil("it is written") { try writes() == "1" }
        client.signal(SIGKILL)
        let freed = try timed { try waitUntil("the statement is cancelled") { try writes() == "0" } }
        #expect(freed.seconds < 1)
        try stack.database.sql("DROP TRIGGER slow ON campaign")
        #expect(try stack.post(#"{"name":"next"}"#).status == 201)
    }

    @Test func `every line of the log is an event in JSON, and a request's has what it took, but no value of it`()
        throws
    {
        let stack = try stack(1, environment: ["LOG_REQUESTS": "1"])
        #expect(try stack.get("/campaigns/1", headers: ["X-Request-Id: mine"]).status == 200)
        #expect(try stack.post(#"{"name":"secret-name"}"#).status == 201)
        try waitUntil("both are logged") { stack.events("request").count >= 2 }
        let lines = stack.worker.log.split(separator: "\n")
        for line in lines {
            let json = try JSONSerialization.jsonObject(with: Data(line.utf8))
            let event = try #require(json as? [String: Any])
            for name in ["time", "level", "logger", "message", "pid"] { #expect(event[name] != nil, "\(line)") }
        }
        let event = try #require(stack.events("request").first { $0["request_id"] as? String == "mine" })
        #expect(event["route"] as? String == "/campaigns/<id>" && event["status"] as? Int == 200)
        #expect(event["method"] as? String == "GET" && event["target"] as? String == "/campaigns/1")
        let (duration, database) = (event["duration_us"] as? Int ?? 0, event["database_us"] as? Int ?? 0)
        #expect(database > 0 && duration >= database)
        #expect(!stack.worker.log.contains("secret-name"))
    }
}
