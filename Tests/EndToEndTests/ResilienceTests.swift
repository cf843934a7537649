import Foundation
import TestSupport
import Testing

/// Crashed workers, disconnected clients, and the format of the log.
@Suite(.serialized) struct ResilienceTests {
    @Test func `a worker that crashes while a reload waits for another one is replaced immediately`() throws {
        let stack = try Stack(workers: 2, environment: ["STATEMENT_TIMEOUT_MS": "20000"])
        let lock = try Lock(on: stack.database)
        var readers: [Socket] = []
        try waitUntil("both workers have a request that waits") {
            readers.append(try Socket(path: stack.socketPath))
            readers[readers.count - 1].send(Records.request("GET", "/campaigns/1"))
            return try stack.processes().count { $0.state == "Running" } == 2
        }
        stack.worker.signal(SIGHUP)
        try waitUntil("one old worker finishes, and the other runs") {
            try stack.processes().map(\.state).sorted() == ["Finishing", "Idle", "Running"]
        }
        let victim = try #require(try stack.processes().first { $0.state == "Running" })
        kill(victim.pid, SIGSEGV)
        try waitUntil("another is ready") { stack.events("a worker is ready").count == 4 }
        #expect(try stack.milliseconds(from: "a worker crashed", to: "a worker is ready") < 500)
        #expect(stack.events("the reload is complete").isEmpty)
        lock.release()
        readers = []  // A worker exits when its peers have closed their kept-alive connections.
        try waitUntil("the reload is done, and the crash is logged") {
            !stack.events("the reload is complete").isEmpty && !stack.events("a worker died").isEmpty
        }
        #expect(try stack.processes().map(\.generation) == [2, 2])
        #expect(try stack.get("/campaigns/1").status == 200)
    }

    @Test func `a client that disconnects frees the connection that its write had leased`() throws {
        let stack = try Stack(workers: 1, environment: ["STATEMENT_TIMEOUT_MS": "20000"])
        try stack.database.sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NEW; END $$"
        )
        try stack.database.sql("CREATE TRIGGER slow BEFORE INSERT ON campaign FOR EACH ROW EXECUTE FUNCTION slow()")
        let folder = try Folder()
        let client = try Child(
            [
                "curl", "-s", "http://127.0.0.1:\(stack.port)/campaigns/", "-H", "Content-Type: application/json", "-d",
                #"{"name":"slow"}"#,
            ], output: "\(folder.path)/output")
        try waitUntil("it is written") { try stack.database.sleepers() == 1 }
        client.signal(SIGKILL)
        let freed = try timed { try waitUntil("the statement is cancelled") { try stack.database.sleepers() == 0 } }
        #expect(freed.seconds < 1)
        try stack.database.sql("DROP TRIGGER slow ON campaign")
        #expect(try stack.post(#"{"name":"next"}"#).status == 201)
    }

    @Test func `every log line is an event in JSON, and that of a request has its cost, but no values`()
        throws
    {
        let stack = try Stack(workers: 1, environment: ["LOG_REQUESTS": "1"])
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
