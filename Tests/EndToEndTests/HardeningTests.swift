import Foundation
import TestSupport
import Testing

/// The risks of the OWASP API Security Top 10 (2023) in docs/security.md that no other test covers.
@Suite struct HardeningTests {
    private static let json = "Content-Type: application/json"

    private func newKey(_ stack: Stack, _ role: String) throws -> String {
        try run(
            [Stack.program, "key", "create", "--name", role, "--role", role], environment: stack.database.environment
        ).trimmingCharacters(in: .newlines)
    }

    @Test(arguments: [
        #"{"name":"a","id":99}"#, #"{"name":"a","version":9}"#, #"{"name":"a","created_on":"2001-01-01T00:00:00Z"}"#,
        #"{"name":"a","updated_on":"2001-01-01T00:00:00Z"}"#, #"{"name":"a","author":"key:root"}"#,
        #"{"name":"a","role":"admin"}"#,
    ]) func `a client can set only writable fields (API3, mass assignment)`(body: String) throws {
        let stack = try Stack(loops: 1)
        try stack.database.sql("INSERT INTO campaign (name) VALUES ('first')")
        let before = try stack.database.sql("SELECT id, created_on FROM campaign")
        for (method, target) in [("POST", "/campaigns/"), ("PUT", "/campaigns/1"), ("PATCH", "/campaigns/1")] {
            _ = try stack.request(method, target, headers: [Self.json], body: body)
        }
        #expect(try stack.database.sql("SELECT id, created_on FROM campaign WHERE id = 1") == before)
        #expect(
            try stack.database.sql(
                "SELECT count(*) FROM campaign WHERE id > 50 OR version > 3 OR created_on < '2020-01-01'") == "0")
        #expect(try stack.database.sql("SELECT count(*) FROM change_record WHERE author = 'key:root'") == "0")
    }

    @Test func `an invalid or unknown id reveals nothing about other rows (API1)`() throws {
        let stack = try Stack(loops: 1)
        for target in [
            "/campaigns/0", "/campaigns/1%20OR%201=1", "/campaigns/1;DROP", "/campaigns/../api_key",
            "/campaigns/9223372036854775808",
        ] {
            let answer = try stack.get(target)
            #expect([404, 422].contains(answer.status) && !answer.body.contains("SELECT"), "\(target)")
        }
    }

    @Test func `a filter by a hidden column, or by one of another table, has no effect (API3)`() throws {
        let stack = try Stack(loops: 1)
        try stack.database.sql("INSERT INTO campaign (name) VALUES ('first')")
        for query in [
            "version=1", "hash=a", "api_key.hash=a", "name[like]=%25", "sort=version", "fields=version", "fields=*",
        ] {
            let answer = try stack.get("/campaigns/?\(query)", headers: ["Prefer: handling=strict"])
            #expect(answer.status == 422, "\(query): \(answer.body)")
        }
    }

    @Test func `a forged Host cannot poison a cacheable response (API8)`() throws {
        let stack = try Stack(loops: 1)
        for index in 1...2 {
            let made = try stack.send(
                Array(
                    """
                    POST /campaigns/ HTTP/1.1\r
                    Host: evil.example\r
                    X-Forwarded-Host: evil.example\r
                    Connection: close\r
                    Content-Type: application/json\r
                    Content-Length: 12\r
                    \r
                    {"name":"a"}
                    """.utf8))
            // The response to a POST is not cached (RFC 9110, section 9.3.3), and only Host is used.
            #expect(made.status == 201 && made.headers["location"] == "http://evil.example/campaigns/\(index)")
        }
        for target in ["/campaigns/", "/campaigns/1", "/openapi.json", "/"] {
            let answer = try stack.send(
                Array(
                    "GET \(target) HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n"
                        .utf8))
            #expect(answer.status == 200 && !answer.body.contains("evil"), "\(target)")
            #expect(!answer.headers.values.joined().contains("evil"), "\(target)")
        }
    }

    @Test(arguments: ["*", "https://ui.example.org"])
    func `no page of another origin can send credentials of the browser (API8, CORS)`(origins: String) throws {
        let stack = try Stack(loops: 1, environment: ["CORS_ALLOW_ORIGINS": origins, "AUTH": "keys"])
        for origin in ["https://ui.example.org", "https://evil.example", "null"] {
            for (method, target) in [
                ("OPTIONS", "/campaigns/"), ("GET", "/campaigns/"), ("GET", "/nowhere"), ("GET", "/"),
            ] {
                let answer = try stack.request(
                    method, target, headers: ["Origin: \(origin)", "Access-Control-Request-Method: DELETE"])
                #expect(answer.headers["access-control-allow-credentials"] == nil)
                if origins != "*", origin != origins { #expect(answer.headers["access-control-allow-origin"] == nil) }
            }
        }
    }

    @Test func `client input cannot forge a line of the log (API8, log injection)`() throws {
        let stack = try Stack(loops: 1, environment: ["LOG_REQUESTS": "1", "LOG_QUERIES": "1"])
        let forged = #"{"level":"critical","message":"forged"}"#
        let escaped = forged.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        _ = try stack.get(
            "/campaigns/%0A\(escaped)?q=%0d%0a\(escaped)",
            headers: ["X-Request-Id: a%0a", "User-Agent: \u{1b}[31m\(forged)"])
        _ = try stack.request(
            "POST", "/campaigns/", headers: [Self.json],
            body: "{\"name\":\"a\\n\(forged.replacing("\"", with: "\\\""))\"}")
        sleep(2)
        let access = try String(contentsOfFile: "\(stack.folder.path)/nginx/access.log", encoding: .utf8)
        for line in (stack.worker.log + access).split(separator: "\n") {
            #expect(!line.hasPrefix(#"{"level":"critical""#) && !line.contains("\u{1b}"), "\(line)")
            #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil, "\(line)")
        }
    }

    @Test func `no secret is in a command line, the status, an error or the log (API8)`() throws {
        let stack = try Stack(workers: 2, environment: ["AUTH": "keys", "POSTGRES_PASSWORD": "s3cr3t-of-postgres"])
        let key = try newKey(stack, "admin")
        let header = ["Authorization: Bearer \(key)"]
        #expect(try stack.get("/campaigns/1", headers: header).status == 200)
        var exposed = try run(
            ["ps", "-ww", "-o", "args", "-p"] + [
                (try stack.workers() + [stack.worker.pid]).map(String.init).joined(separator: ",")
            ])
        for target in ["/status", "/status?json", "/status?openmetrics", "/campaigns/x", "/nowhere", "/openapi.json"] {
            exposed += try stack.get(target, headers: header).body
        }
        let victim = try #require(try stack.workers().first)
        kill(victim, SIGSEGV)
        try waitUntil("the crash is logged") { stack.worker.log.contains("signal 11") }
        exposed += stack.worker.log
        #expect(!exposed.contains("s3cr3t-of-postgres") && !exposed.contains(key.dropFirst(7).prefix(20)))
    }

    @Test func `an error reveals nothing about SQL, paths or versions (API8)`() throws {
        let stack = try Stack(loops: 1)
        try stack.database.sql("ALTER TABLE campaign RENAME COLUMN description TO gone")
        for (target, status) in [("/campaigns/", 500), ("/campaigns/1", 500), ("/nowhere", 404)] {
            let answer = try stack.get(target)
            #expect(answer.status == status)
            for word in ["SELECT", "column", "campaign WHERE", "/home", ".swift", "Postgres", "42703"] {
                #expect(!answer.body.contains(word), "\(answer.body)")
            }
            #expect(answer.headers["server"] == "nginx" && answer.headers["x-powered-by"] == nil)
        }
    }

    @Test func `every route is documented, except for pages (API9)`() throws {
        let stack = try Stack(loops: 1)
        let document = try stack.get("/openapi.json").body
        let routes = try run([Stack.program, "routes"]).split(separator: "\n").filter { !$0.hasPrefix(" ") }
        for route in routes {
            let path = String(route.split(separator: " ")[1])
            guard path != "/openapi.json" else { continue }
            let documented = path.replacing("<", with: "{").replacing(">", with: "}")
            #expect(document.contains("\"\(documented)\":"), "\(path)")
        }
        for target in [
            "/admin", "/debug", "/metrics", "/.env", "/.git/config", "/server-status", "/keys", "/api_key/",
            "/campaigns/1/history/1",
        ] {
            #expect(try stack.get(target).status == 404, "\(target)")
        }
    }

    @Test func `the time to reject a key does not depend on how much of it is right (API2)`() throws {
        let stack = try Stack(loops: 1, environment: ["AUTH": "keys"])
        let key = try newKey(stack, "reader")
        let hash = try stack.database.sql("SELECT encode(hash, 'hex') FROM api_key")
        // Hashes are compared, whose beginning nobody can choose: a key that differs from a valid one in its last
        // characters only is rejected by its checksum, and one with a valid checksum has a completely different hash.
        let wrong = key.dropLast() + (key.hasSuffix("0") ? "1" : "0")
        #expect(try stack.get("/campaigns/", headers: ["Authorization: Bearer \(wrong)"]).status == 401)
        #expect(try stack.get("/campaigns/", headers: ["Authorization: Bearer \(hash)"]).status == 401)
        #expect(try stack.get("/campaigns/", headers: ["Authorization: Bearer \(key)"]).status == 200)
    }
}
