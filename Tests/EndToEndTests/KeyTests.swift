import Foundation
import Synchronization
import TestSupport
import Testing

/// API keys, from their creation to the rejection of a request, through nginx.
@Suite struct KeyTests {
    private func aktify(_ stack: Stack, _ arguments: String...) throws -> (status: Int32, output: String) {
        try runToEnd([Stack.program] + arguments, environment: stack.database.environment)
    }

    private func newKey(_ stack: Stack, _ name: String, _ role: String, _ options: String...) throws -> String {
        let made = try runToEnd(
            [Stack.program, "key", "create", "--name", name, "--role", role] + options,
            environment: stack.database.environment)
        #expect(made.status == 0)
        return made.output.trimmingCharacters(in: .newlines)
    }

    private func bearer(_ key: String) -> [String] {
        ["Authorization: Bearer \(key)", "Content-Type: application/json"]
    }

    private static let json = ["Content-Type: application/json"]

    @Test func `requests without a key get 401 with a challenge, and have no effect`() throws {
        let stack = try Stack(environment: ["AUTH": "keys"])
        for (method, target, body) in [
            ("GET", "/campaigns/", nil), ("GET", "/campaigns/1", nil), ("POST", "/campaigns/", #"{"name":"a"}"#),
            ("PUT", "/campaigns/1", #"{"name":"a"}"#), ("PATCH", "/campaigns/1", "{}"), ("DELETE", "/campaigns/1", nil),
            ("PATCH", "/campaigns/?id=1", "{}"), ("DELETE", "/campaigns/?id=1", nil),
        ] as [(String, String, String?)] {
            let answer = try stack.request(
                method, target, headers: Self.json + ["Origin: https://example.org"], body: body)
            #expect(answer.status == 401, "\(method) \(target)")
            #expect(answer.headers["www-authenticate"] == #"Bearer realm="aktify""#)
            #expect(answer.headers["access-control-allow-origin"] == "https://example.org")
            #expect(answer.headers["content-type"] == "application/json")
            #expect(answer.body.contains(#""message":"Authenticate: send Authorization: Bearer, and your key.""#))
        }
        #expect(
            try stack.get("/campaigns/", headers: ["Accept: application/problem+json"]).body.contains(#""status":401"#))
        #expect(try stack.request("HEAD", "/campaigns/").status == 401)
        #expect(try stack.campaigns == 0)
    }

    @Test func `OPTIONS, health checks, the documentation and the pages need no key`() throws {
        let stack = try Stack(environment: ["AUTH": "keys"])
        for target in ["/", "/healthz", "/readyz", "/openapi.json", "/ui/", "/docs/"] {
            #expect(try stack.get(target).status == 200, "\(target)")
        }
        let preflight = try stack.request(
            "OPTIONS", "/campaigns/",
            headers: [
                "Origin: https://example.org", "Access-Control-Request-Method: POST",
                "Access-Control-Request-Headers: authorization,content-type",
            ])
        #expect(preflight.status == 200)
        #expect(preflight.headers["access-control-allow-headers"] == "authorization, content-type")
        #expect(preflight.headers["access-control-allow-credentials"] == nil)
    }

    @Test func `a key grants the permissions of its role`() throws {
        let stack = try Stack(environment: ["AUTH": "keys"])
        let keys = try ["reader", "editor", "admin"].map { try newKey(stack, "the \($0)", $0) }
        func statuses(_ method: String, _ target: String, _ body: String? = nil) throws -> [Int] {
            try keys.map { try stack.request(method, target, headers: bearer($0), body: body).status }
        }
        #expect(try statuses("POST", "/campaigns/", #"{"name":"a"}"#) == [403, 201, 201])
        #expect(try statuses("GET", "/campaigns/") == [200, 200, 200])
        #expect(try statuses("GET", "/campaigns/1") == [200, 200, 200])
        #expect(try statuses("PATCH", "/campaigns/1", #"{"name":"b"}"#) == [403, 200, 200])
        #expect(try statuses("PATCH", "/campaigns/?id=1", #"{"name":"b"}"#) == [403, 200, 200])
        #expect(try statuses("DELETE", "/campaigns/?id=1") == [403, 403, 200])
        #expect(try statuses("DELETE", "/campaigns/2") == [403, 204, 404])
        for (key, role) in zip(keys, ["reader", "editor", "admin"]) {
            let body = try stack.get("/me", headers: bearer(key)).body
            #expect(body == #"{"name":"key:the \#(role)","role":"\#(role)"}"# + "\n")
        }
        let refused = try stack.request("DELETE", "/campaigns/?id=1", headers: bearer(keys[1]))
        #expect(
            refused.headers["www-authenticate"]
                == #"Bearer realm="aktify", error="insufficient_scope", scope="admin""#)
        #expect(refused.body.contains("This needs the role admin; yours is editor."))
    }

    @Test func `a mistyped key, an unknown key, an expired one and another scheme are rejected with 401`() throws {
        let stack = try Stack(environment: ["AUTH": "keys"])
        let key = try newKey(stack, "crm", "reader", "--expires", "1m")
        #expect(try stack.get("/campaigns/", headers: bearer(key)).status == 200)
        let other = try newKey(stack, "other", "reader")
        try stack.database.sql("DELETE FROM api_key WHERE name = 'other'")
        for (headers, message) in [
            (bearer(String(key.dropLast())), "a character is wrong or missing"),
            (bearer(other), "The key is not known."),
            (["Authorization: Basic \(key)"], "the scheme Bearer, and one key"),
            (bearer("' OR true --"), "a character is wrong or missing"),
            (bearer(String(repeating: "a", count: 7000)), "a character is wrong or missing"),
        ] {
            let answer = try stack.get("/campaigns/", headers: headers)
            #expect(answer.status == 401 && answer.body.contains(message), "\(message): \(answer.body)")
        }
        try stack.database.sql("UPDATE api_key SET expires_on = now() AT TIME ZONE 'UTC'")
        try waitUntil("it has expired") { try stack.get("/campaigns/", headers: bearer(key)).status == 401 }
        #expect(try stack.get("/campaigns/", headers: bearer(key)).body.contains("The key has expired."))
    }

    @Test func `every worker rejects a revoked key within a second, even while it is in use`() throws {
        let stack = try Stack(workers: 3, environment: ["AUTH": "keys"])
        let (key, other) = (try newKey(stack, "leaked", "reader"), try newKey(stack, "other", "reader"))
        // Ten clients use it continuously, so that every worker has it in its cache.
        let last = Mutex<[Date]>([])
        let users = DispatchGroup()
        for _ in 0..<10 {
            users.enter()
            Thread.detachNewThread { [port = stack.port] in
                var (accepted, refusals) = (Date.distantPast, 0)
                while refusals < 20 {
                    let sent = Date()
                    guard let socket = try? Socket(port: port) else { continue }
                    let head = "GET /campaigns/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    socket.send(Array((head + "Authorization: Bearer \(key)\r\n\r\n").utf8))
                    if Answer(socket.receiveAll()).status == 200 { accepted = sent } else { refusals += 1 }
                }
                last.withLock { $0.append(accepted) }
                users.leave()
            }
        }
        sleep(2)
        #expect(try aktify(stack, "key", "revoke", "leaked").output == "leaked is revoked.\n")
        let revoked = Date()
        users.wait()
        let ends = last.withLock { $0.map { $0.timeIntervalSince(revoked) } }
        #expect(ends.count == 10 && ends.allSatisfy { $0 > -2 && $0 < 1 }, "\(ends)")
        #expect(try stack.get("/campaigns/1", headers: bearer(key)).body.contains("The key was revoked."))
        #expect(try stack.get("/campaigns/1", headers: bearer(other)).status == 200)
    }

    @Test func `the list shows every key and its last use, but not its secret`() throws {
        let stack = try Stack(environment: ["AUTH": "keys"])
        let key = try newKey(stack, "crm", "editor", "--expires", "90d", "--by", "ada")
        #expect(try stack.get("/campaigns/", headers: bearer(key)).status == 200)
        try waitUntil("the use is recorded") {
            try stack.database.sql("SELECT last_used_on IS NOT NULL FROM api_key") == "t"
        }
        _ = try newKey(stack, "old", "reader")
        #expect(try aktify(stack, "key", "revoke", "old").status == 0)
        let lines = try aktify(stack, "key", "list").output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].contains(/^valid  editor  created .* by ada  expires 2.*  used 2.*  crm$/))
        #expect(lines[1].contains(/^revoked  reader  .*  expires never  used never  old$/))
        let list = try aktify(stack, "key", "list", "--json").output
        #expect(list.contains(#""name":"crm""#) && list.contains(#""state":"revoked""#))
        #expect(!list.contains(key) && !lines.joined().contains(key))
        let stored = try stack.database.sql(
            "SELECT hash = sha256('\(key)'), api_key::text FROM api_key WHERE name = 'crm'")
        #expect(stored.hasPrefix("t|") && !stored.contains(key.dropFirst(7).prefix(10)))
    }

    @Test(arguments: [
        (["create", "--name", "", "--role", "reader"], "--name must have 1 to 100 characters"),
        (["create", "--name", "a\u{202e}b", "--role", "reader"], "no control characters"),
        (["create", "--name", "a", "--role", "reader", "--by", "me\nvalid"], "--by must have 1 to 100 characters"),
        (["create", "--name", "a", "--role", "owner"], "--role must be reader, editor or admin, not owner."),
        (["create", "--name", "a", "--role", "reader", "--expires", "soon"], "90d, 12h or 30m; not soon."),
        (["create", "--name", "a", "--role", "reader", "--expires", "0d"], "90d, 12h or 30m; not 0d."),
        (["create", "--name", "taken", "--role", "reader"], "The name taken is, or was, used by another key"),
        (["revoke", "nobody"], "There is no key named nobody"),
    ]) func `an invalid command is an error in one sentence`(arguments: [String], message: String) throws {
        let database = try TestDatabase()
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
        try run(
            [Stack.program, "key", "create", "--name", "taken", "--role", "reader"], environment: database.environment)
        let (status, output) = try runToEnd([Stack.program, "key"] + arguments, environment: database.environment)
        #expect(status != 0 && output.contains(message), "\(output)")
    }

    @Test func `a key that cannot be printed is an error`() throws {
        let database = try TestDatabase()
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
        for (name, output, message) in [("full", ">/dev/full", "revoke full"), ("closed", ">&-", "output is closed")] {
            let command = "exec \(Stack.program) key create --name \(name) --role reader 2>&1 \(output)"
            let made = try runToEnd(["bash", "-c", command], environment: database.environment)
            #expect(made.status != 0 && made.output.contains(message), "\(made.output)")
        }
        #expect(try database.sql("SELECT string_agg(name, ',') FROM api_key") == "full")
        let unread =
            "exec {pipe}> >(:); sleep 0.5; exec \(Stack.program) key create --name unread --role reader 2>&1 >&$pipe"
        let made = try runToEnd(["bash", "-c", unread], environment: database.environment)
        #expect(made.status == 1 && made.output.contains("revoke unread"), "\(made.output)")
    }

    @Test func `a key expires on time, whatever the time zone in the environment`() throws {
        let stack = try Stack(environment: ["AUTH": "keys", "PGTZ": "America/New_York"])
        let made = try runToEnd(
            [Stack.program, "key", "create", "--name", "far", "--role", "reader", "--expires", "1m"],
            environment: stack.database.environment.merging(["PGTZ": "Asia/Tokyo"]) { $1 })
        let key = made.output.trimmingCharacters(in: .newlines)
        #expect(try stack.get("/me", headers: bearer(key)).status == 200)
        let left = "extract(epoch FROM expires_on - now() AT TIME ZONE 'UTC')"
        #expect(try stack.database.sql("SELECT \(left) BETWEEN 1 AND 60 FROM api_key") == "t")
        try stack.database.sql("UPDATE api_key SET expires_on = now() AT TIME ZONE 'UTC'")
        try waitUntil("it has expired") { try stack.get("/me", headers: bearer(key)).status == 401 }
    }

    @Test func `without the API key table, the error says what to do`() throws {
        let database = try TestDatabase()
        let (status, output) = try runToEnd([Stack.program, "key", "list"], environment: database.environment)
        #expect(status == 1 && output == "Error: the database has no API key table yet: run aktify db upgrade\n")
    }

    @Test func `in production, authentication must be configured explicitly`() throws {
        for command in [
            ["serve", "--check"], ["serve", "--listen", "127.0.0.1:0"], ["worker", "--listen", "127.0.0.1:0"],
        ] {
            let (status, output) = try runToEnd(
                [Stack.program] + command, environment: ["AUTH": "", "POSTGRES_HOST": "/nowhere"])
            #expect(status == 1 && output.hasPrefix("Error: AUTH: is not set: use keys"), "\(output)")
        }
        let development = try runToEnd(
            [Stack.program, "serve", "--check"], environment: ["AUTH": "", "APP_ENV": "development"])
        #expect(development.output == "The configuration is fine.\n")
        let unknown = try runToEnd([Stack.program, "serve", "--check"], environment: ["AUTH": "none"])
        #if !JWT
            let absent = try runToEnd([Stack.program, "serve", "--check"], environment: ["AUTH": "jwt"])
            #expect(
                absent.output
                    == "Error: AUTH: this program was built without support for jwt: build it with TRAITS=JWT scripts/build\n"
            )
        #endif
        #expect(unknown.output == "Error: AUTH: expected one of off, keys, jwt, not \"none\"\n")
    }

    @Test func `a reload that turns on authentication fails no authorized request`() throws {
        let folder = try Folder()
        let file = "\(folder.path)/env"
        try "AUTH=off\n".write(toFile: file, atomically: true, encoding: .utf8)
        let stack = try Stack(workers: 2, options: ["--env-file", file])
        let key = try newKey(stack, "crm", "reader")
        #expect(try stack.get("/campaigns/1").status == 200)
        try "AUTH=keys\n".write(toFile: file, atomically: true, encoding: .utf8)
        try stack.reload()
        for _ in 0..<10 { #expect(try stack.get("/campaigns/1").status == 401) }
        for _ in 0..<10 { #expect(try stack.get("/campaigns/1", headers: bearer(key)).status == 200) }
    }

    @Test func `the OpenAPI document contains the role that each operation requires`() throws {
        let stack = try Stack(environment: ["AUTH": "keys"])
        let document = try stack.get("/openapi.json").body
        #expect(document.contains(#""securitySchemes":{"bearer":{"#))
        #expect(document.contains(#""security":[{"bearer":["admin"]}]"#))
        let open = try Stack(environment: ["AUTH": "off"]).get("/openapi.json").body
        #expect(!open.contains("security"))
    }

    @Test func `the history of a campaign contains the key and the request id of each change`() throws {
        let stack = try Stack(environment: ["AUTH": "keys"])
        let (ada, bob) = (try newKey(stack, "ada", "editor"), try newKey(stack, "bob", "editor"))
        let made = try stack.request("POST", "/campaigns/", headers: bearer(ada), body: #"{"name":"a"}"#)
        let changed = try stack.request(
            "PATCH", "/campaigns/1", headers: bearer(bob) + ["X-Request-Id: by-bob"], body: #"{"name":"b"}"#)
        #expect(made.status == 201 && changed.status == 200)
        let history = try stack.get("/campaigns/1/history", headers: bearer(ada)).body
        #expect(history.contains(#""author":"key:bob""#) && history.contains(#""request_id":"by-bob""#))
        #expect(history.contains(#""author":"key:ada""#))
        #expect(history.contains("\"request_id\":\"\(made.headers["x-request-id"] ?? "")\""))
        #expect(try stack.get("/campaigns/1/history").status == 401)
    }

    @Test func `two clients may use the same Idempotency-Key`() throws {
        let stack = try Stack(environment: ["AUTH": "keys"])
        let (ada, bob) = (try newKey(stack, "ada", "editor"), try newKey(stack, "bob", "editor"))
        let answers = try [(ada, "a"), (bob, "b"), (ada, "a"), (ada, "b")].map { key, name in
            try stack.request(
                "POST", "/campaigns/", headers: bearer(key) + ["Idempotency-Key: 1"], body: "{\"name\":\"\(name)\"}")
        }
        #expect(answers.map(\.status) == [201, 201, 201, 422])
        #expect(answers[0].body == answers[2].body && answers[0].body != answers[1].body)
    }

    @Test func `keys are not logged`() throws {
        let stack = try Stack(
            environment: [
                "AUTH": "keys", "LOG_QUERIES": "1", "LOG_REQUESTS": "1", "SLOW_QUERY_MS": "0", "LOG_LEVEL": "trace",
            ])
        let key = try newKey(stack, "crm", "reader")
        #expect(try stack.get("/campaigns/", headers: bearer(key)).status == 200)
        #expect(try stack.get("/nowhere", headers: bearer(key)).status == 404)
        sleep(2)
        let logs = try ["nginx/access.log", "nginx-error.log"].map {
            try String(contentsOfFile: "\(stack.folder.path)/\($0)", encoding: .utf8)
        }
        for log in logs + [stack.worker.log] { #expect(!log.contains(key.dropFirst(7).prefix(20))) }
    }
}
