import Foundation
import TestSupport
import Testing

/// The status report of the master.
@Suite struct StatusTests {
    /// The fields of php-fpm's status page that metrics exporters for php-fpm read.
    private static let names = [
        "pool", "process manager", "start time", "start since", "accepted conn", "listen queue", "max listen queue",
        "listen queue len", "idle processes", "active processes", "total processes", "max active processes",
        "max children reached", "slow requests", "memory peak",
    ]
    private static let processNames = [
        "pid", "state", "start time", "start since", "requests", "request duration", "request method", "request uri",
        "content length", "user", "script", "last request cpu", "last request memory",
    ]

    private static let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

    @Test func `the status has the names of php-fpm's status page, and the accept queue of a Unix socket`() throws {
        let status = try Stack(workers: 2).status()
        for name in Self.names { #expect(status[name] != nil, "\(name)") }
        let processes = try #require(status["processes"] as? [[String: Any]])
        #expect(processes.count == 2)
        for name in Self.processNames { #expect(processes[0][name] != nil, "\(name)") }
        #expect(status["listen queue len"] as? Int == 511 && status["total processes"] as? Int == 2)
        #expect(try #require(status["memory peak"] as? Int) > 1 << 20)
    }

    @Test func `through nginx, only allowed addresses can access the status`() throws {
        let stack = try Stack(workers: 2)
        let answer = try stack.get("/status")
        #expect(answer.status == 200 && answer.body.hasPrefix(#"{"pool":"aktify""#))
        let other = try run([
            "curl", "-s", "--interface", "127.0.0.2", "-w", "%{http_code}", "http://127.0.0.1:\(stack.port)/status",
        ])
        #expect(other.hasPrefix(#"{"message":"Forbidden.""#) && other.hasSuffix("403"))
    }

    @Test func `a browser gets a page with the console's security header fields, and other clients get JSON`() throws {
        let stack = try Stack(workers: 2)
        let page = try stack.get("/status", headers: ["Accept: \(Self.browser)"])
        #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
        #expect(page.body.contains("<h1>Status</h1>") && page.headers["vary"]?.contains("Accept") == true)
        let console = try stack.get("/ui/")
        for name in ["content-security-policy", "cache-control", "x-frame-options", "referrer-policy"] {
            #expect(page.headers[name] == console.headers[name] && page.headers[name] != nil, "\(name)")
        }
        #expect(try stack.get("/status", headers: ["Accept: text/html;charset=utf-8"]).body == page.body)
        for accept in [
            "*/*", "application/json", "text/html, */*", "text/html;q=0, */*;q=0.1", "text/html;q=0",
            "application/json, text/html;q=0.1",
        ] {
            let answer = try stack.get("/status", headers: ["Accept: \(accept)"])
            #expect(answer.status == 200 && answer.headers["content-type"] == "application/json", "\(accept)")
            #expect(answer.body.hasPrefix(#"{"pool":"aktify""#) && answer.headers["content-security-policy"] == nil)
        }
        for target in ["/status?full", "/status?openmetrics"] {
            let answer = try stack.get(target, headers: ["Accept: \(Self.browser)"])
            #expect(answer.status == 200 && !answer.body.contains("<html"), "\(target)")
        }
        #expect(try stack.request("HEAD", "/status", headers: ["Accept: text/html"]).status == 200)
        for method in ["POST", "TRACE"] {
            let answer = try stack.request(method, "/status", headers: ["Accept: text/html"], body: "")
            #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD, OPTIONS", "\(method)")
        }
    }

    @Test func `only allowed addresses can access the page, which has no other URL`() throws {
        let stack = try Stack(workers: 2)
        let other = try run([
            "curl", "-s", "--interface", "127.0.0.2", "-H", "Accept: text/html", "-w", "%{http_code}",
            "http://127.0.0.1:\(stack.port)/status",
        ])
        #expect(other.hasPrefix(#"{"message":"Forbidden.""#) && other.hasSuffix("403"))
        #expect(try stack.get("/ui/status.html", headers: ["Accept: text/html"]).status == 404)
    }

    @Test func `without a master, the page is served, and a request for JSON is answered with 503`() throws {
        let stack = try Stack(workers: 1)
        stack.worker.signal(SIGKILL)
        _ = stack.worker.wait(seconds: 5)
        #expect(try stack.get("/status", headers: ["Accept: text/html"]).status == 200)
        #expect(try stack.get("/status?full").status == 503)
    }

    @Test func `a failed reload is reported`() throws {
        let stack = try Stack(workers: 2)
        let program = "\(stack.folder.path)/aktify"
        try FileManager.default.removeItem(atPath: program)
        try Data("#!/bin/sh\nexit 3\n".utf8).write(to: URL(filePath: program))
        chmod(program, 0o755)
        stack.worker.signal(SIGHUP)
        try waitUntil("the failed reload is reported") { try stack.status()["failed reloads"] as? Int == 1 }
        let status = try stack.status()
        #expect(status["last reload"] as? String == "failed: a new worker did not get ready")
        #expect(status["total processes"] as? Int == 2 && status["generation"] as? Int == 1)
    }

    @Test func `the counts of all workers equal the requests sent, even after workers have exited`() throws {
        let stack = try Stack(workers: 3)
        func send(_ times: Int) throws {
            for _ in 0..<times {
                #expect(try stack.get("/campaigns/999999").status == 404)
                #expect(try stack.get("/campaigns/").status == 200)
                #expect(try stack.post(#"{"name":"counted"}"#).status == 201)
                #expect(try stack.get("/nowhere").status == 404)
            }
        }
        let before = try stack.metrics()
        try send(10)
        let victim = try #require((stack.status()["processes"] as? [[String: Any]])?.first?["pid"] as? Int)
        kill(pid_t(victim), SIGKILL)
        try waitUntil("it is replaced") { try stack.status()["respawns"] as? Int == 1 }
        try send(10)
        stack.worker.signal(SIGHUP)
        try waitUntil("it is reloaded") { try stack.status()["reloads"] as? Int == 1 }
        try send(10)
        stack.worker.signal(SIGUSR2)
        try waitUntil("it is reloaded again") { (try? stack.status()["reloads"] as? Int) == 2 }
        try send(10)
        let after = try stack.metrics()
        func count(_ labels: String) -> Double {
            let name = "aktify_request_duration_seconds_count{\(labels)}"
            return (after[name] ?? 0) - (before[name] ?? 0)
        }
        #expect(count(#"route="/campaigns/<id>",method="GET",status="404""#) == 40)
        #expect(count(#"route="/campaigns/",method="GET",status="200""#) == 40)
        #expect(count(#"route="/campaigns/",method="POST",status="201""#) == 40)
        #expect(count(#"route="none",method="GET",status="404""#) == 40)
        let requests = "aktify_requests_total"
        #expect((after[requests] ?? 0) - (before[requests] ?? 0) == 160)
        #expect((after["aktify_query_duration_seconds_count"] ?? 0) >= 120)
        #expect(after["aktify_crashes_total"] == 1 && after["aktify_workers"] == 3)
    }

    @Test func `Prometheus's own parser accepts the metrics`() throws {
        let stack = try Stack(workers: 2)
        _ = try stack.get("/campaigns/")
        let answer = try stack.get("/status?openmetrics")
        #expect(answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        #expect(try stack.get("/status?openmetrics=").headers["content-type"] == answer.headers["content-type"])
        let script = """
            import sys
            from prometheus_client.openmetrics.parser import text_string_to_metric_families
            print(" ".join(family.name for family in text_string_to_metric_families(sys.stdin.read())))
            """
        let names = try run(["/usr/bin/python3", "-c", script], input: answer.body).split(separator: " ")
        #expect(names.contains("aktify_request_duration_seconds") && names.contains("aktify_listen_queue"))
        #expect(names.contains("aktify_pool_wait_seconds") && names.count >= 20)
    }

    @Test func `a schema that is downgraded under the workers is reported, even without requests`() throws {
        let stack = try Stack(workers: 2)
        #expect(try stack.metrics()["aktify_pending_revisions"] == 0)
        try stack.database.sql("UPDATE alembic_version SET version_num = '6c369edd2a4c'")
        let revisions = try FileManager.default.contentsOfDirectory(atPath: "\(checkout)/migrations/versions").count
        try waitUntil("it is reported") { try stack.metrics()["aktify_pending_revisions"] == Double(revisions - 1) }
        #expect(try stack.metrics()["aktify_workers_without_database"] == 0)
    }

    @Test func `the status command prints a table`() throws {
        let stack = try Stack(workers: 2)
        let output = try run([Stack.program, "status", "--connect", "unix:\(stack.folder.path)/status.sock"])
        #expect(output.hasPrefix("aktify \(Stack.version), up ") && output.contains("workers     2 of 2, 0 active\n"))
        #expect(output.contains("PID      STATE      GENERATION"))
        let watching = try Child(
            [
                Stack.program, "status", "--watch", "--json", "--connect", "unix:\(stack.folder.path)/status.sock",
            ], output: "\(stack.folder.path)/reports")
        try waitUntil("it prints two reports") { watching.log.split(separator: "\n").count == 2 }
        let silent = try runToEnd([Stack.program, "status", "--connect", "unix:\(stack.folder.path)/nothing.sock"])
        #expect(silent.status == 1 && silent.output.hasPrefix("Error: connect to unix:"))
        let nowhere = try runToEnd([Stack.program, "status"], environment: ["STATUS_LISTEN": ""])
        #expect(nowhere.status == 2 && nowhere.output.contains("pass --connect, or set STATUS_LISTEN"))
    }

    @Test func `while 200 requests wait for Postgres, the status shows their statements, and slow ones are logged`()
        throws
    {
        let stack = try Stack(
            workers: 1,
            environment: ["STATEMENT_TIMEOUT_MS": "20000", "SLOW_REQUEST_MS": "300", "REQUEST_TIMEOUT_MS": "3000"])
        let lock = try Lock(on: stack.database)
        let readers = try (0..<200).map { _ in try Socket(path: stack.socketPath) }
        for (index, reader) in readers.enumerated() { reader.send(Records.request("GET", "/campaigns/\(index)")) }
        try waitUntil("all have arrived") { try stack.status()["active requests"] as? Int == 200 }
        let status = try timed { try stack.status() }
        #expect(status.seconds < 0.1 && status.value["active requests"] as? Int == 200)
        let requests = try #require(status.value["requests in flight"] as? [[String: Any]])
        #expect(requests.count == 64)
        #expect(requests.allSatisfy { ($0["phase"] as? String)?.hasPrefix("in query SELECT id, name") == true })
        for target in ["/ping", "/healthz"] {
            let answer = try timed { target == "/ping" ? try stack.askMaster("/ping") : try stack.get(target) }
            #expect(answer.value.status == 200 && answer.seconds < 0.1)
        }
        try waitUntil("slow requests are logged") { stack.events("a request is slow").count >= 64 }
        let event = try #require(stack.events("a request is slow").first)
        #expect((event["phase"] as? String)?.hasPrefix("in query SELECT id, name") == true)
        #expect(try #require(event["elapsed_ms"] as? Int) >= 300 && event["method"] as? String == "GET")
        #expect(event["request_id"] != nil && event["worker"] != nil)
        #expect(readers.map { readResponse(from: $0).status } == Array(repeating: 504, count: 200))
        #expect(try stack.status()["worker crashes"] as? Int == 0 && stack.status()["slow requests"] as? Int ?? 0 >= 64)
        lock.release()
        try waitUntil("it answers again") { try stack.get("/campaigns/").status == 200 }
    }
}
