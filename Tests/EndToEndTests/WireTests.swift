import Foundation
import TestSupport
import Testing

@Suite struct WireTests {
    private let stack: Stack

    init() throws {
        stack = try Stack()
        try stack.database.sql("INSERT INTO campaign (name) SELECT 'Campaign ' || n FROM generate_series(1, 3) n")
    }

    @Test func `the routes respond according to the contract, headers included`() throws {
        let list = try stack.get("/campaigns/")
        #expect(list.status == 200 && list.headers["content-type"] == "application/json")
        #expect(list.headers["access-control-allow-origin"] == "*" && list.headers["vary"] == "Accept")
        #expect(list.headers["content-length"] == String(list.body.utf8.count))
        let one = try stack.get("/campaigns/1")
        #expect(one.body.contains(#""id":1,"is_active":true,"name":"Campaign 1","updated_on":""#))
        #expect(list.body.hasPrefix("[" + one.body.dropLast() + ",{"))
        #expect(one.headers["x-request-id"]?.utf8.count == 32)
        let id = one.headers["x-request-id"]
        #expect(try stack.get("/campaigns/1").headers["x-request-id"] != id)
        for (target, status, message) in [("abc", 422, "id must be an integer"), ("1001", 404, "Campaign not found.")] {
            let answer = try stack.get("/campaigns/\(target)", headers: ["X-Request-Id: me"])
            #expect(answer.status == status)
            #expect(answer.body == "{\"message\":\"\(message)\",\"request_id\":\"me\"}\n")
            #expect(answer.headers["access-control-allow-origin"] == "*" && answer.headers["x-request-id"] == "me")
        }
        let redirect = try stack.get("/campaigns?a=%20b", headers: ["Origin: http://ui"])
        #expect(redirect.status == 308)
        #expect(redirect.headers["location"] == "http://localhost:\(stack.port)/campaigns/?a=%20b")
        #expect(redirect.headers["access-control-allow-origin"] == "http://ui" && redirect.headers["vary"] == "Origin")
        #expect(try stack.get("/nowhere").status == 404)
        #expect(try stack.get("/").body == "\"Hello, from Flask!\"\n")
    }

    @Test func `a campaign is created, and Location refers to it`() throws {
        let made = try stack.post(#"{"name":"Spring","description":"x","is_active":true}"#)
        #expect(made.status == 201)
        #expect(made.headers["location"] == "http://localhost:\(stack.port)/campaigns/4")
        #expect(made.body.contains(#""description":"x","id":4,"is_active":true,"name":"Spring""#))
        #expect(try stack.get("/campaigns/4").body == made.body)
    }

    @Test func `HEAD, OPTIONS and wrong methods have the same responses through nginx as in process`() throws {
        let head = try stack.request("HEAD", "/campaigns/1")
        #expect(head.status == 200 && head.body.isEmpty && Int(head.headers["content-length"] ?? "") ?? 0 > 100)
        let options = try stack.request(
            "OPTIONS", "/campaigns/", headers: ["Origin: http://ui", "Access-Control-Request-Method: POST"])
        #expect(options.status == 200 && options.headers["allow"] == "GET, HEAD, OPTIONS, POST, PATCH, DELETE")
        #expect(options.headers["access-control-allow-methods"]?.contains("POST") == true)
        let wrong = try stack.request("DELETE", "/healthz")
        #expect(wrong.status == 405 && wrong.headers["allow"] == "GET, HEAD, OPTIONS")
    }

    @Test func `invalid bodies get 4xx in JSON, and nothing is stored`() throws {
        let cases = [
            (#"{"name":"a\u0000b"}"#, "application/json", 422), (#"{"name":"\ud800"}"#, "application/json", 422),
            (String(repeating: "[", count: 5000), "application/json", 400), ("", "application/json", 400),
            ("name=a", "application/x-www-form-urlencoded", 415),
        ]
        for (body, type, status) in cases {
            let answer = try stack.post(body, type: type)
            #expect(answer.status == status)
            #expect(answer.body.contains("\"message\":\"") && answer.headers["content-type"] == "application/json")
        }
        #expect(try stack.campaigns == 3)
    }

    @Test func `a body of 1 MiB is accepted, one byte more is rejected with 413, by nginx and by the worker`() throws {
        func body(_ count: Int) -> String {
            #"{"name":"a","description":""# + String(repeating: "x", count: count - 29) + "\"}"
        }
        #expect(body(1 << 20).utf8.count == 1 << 20)
        #expect(try stack.post(body(1 << 20)).status == 201)
        let tooLarge = try stack.post(body(1 << 20 + 1))
        #expect(tooLarge.status == 413 && tooLarge.body.contains("1048576"))
        let params = [("CONTENT_TYPE", "application/json")]
        let direct = Records.request("POST", "/campaigns/", body: Array(body(1 << 20 + 1).utf8), params: params)
        #expect(try stack.fastCGI(direct).status == 413)
        #expect(
            try stack.fastCGI(Records.request("POST", "/campaigns/", body: Array(body(1 << 20).utf8), params: params))
                .status == 201)
        #expect(try stack.campaigns == 5)
    }

    @Test func `a truncated body stores nothing`() throws {
        let socket = try Socket(port: stack.port)
        socket.send(
            Array(
                "POST /campaigns/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"name\":\"a\"}"
                    .utf8))
        shutdown(socket.descriptor, Int32(SHUT_RDWR))
        let params = [("CONTENT_TYPE", "application/json")]
        let short = Records.request(
            "POST", "/campaigns/", body: Array(#"{"name":"a"}"#.utf8), declaring: 50, params: params)
        #expect(try stack.fastCGI(short).status == 400)
        let cut = try Socket(path: stack.socketPath)
        cut.send(
            Array(
                Records.request("POST", "/campaigns/", body: Array(#"{"name":"a"}"#.utf8), params: params).dropLast(8)))
        shutdown(cut.descriptor, Int32(SHUT_WR))
        #expect(cut.receiveAll().isEmpty)
        #expect(try stack.campaigns == 3)
    }

    @Test func `nginx's own errors are JSON`() throws {
        let long = String(repeating: "x", count: 9000)
        let cases = [
            ("GET / HTTP/1.1\r\n\r\n", 400), ("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET /\(long) HTTP/1.1\r\nHost: x\r\n\r\n", 414),
            ("GET / HTTP/1.1\r\nHost: x\r\nX: \(long)\r\n\r\n", 431),
            ("TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
            ("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: odd\r\n\r\n", 501),
        ]
        for (request, status) in cases {
            let answer = try stack.send(Array(request.utf8))
            #expect(answer.status == status)
            #expect(
                answer.headers["content-type"] == "application/json"
                    && answer.headers["access-control-allow-origin"] == "*")
            #expect(
                answer.body.hasPrefix("{\"message\":\"") && answer.body.hasSuffix("\"}\n")
                    && answer.body.contains("request_id"))
        }
    }

    @Test func `a method that nginx does not support is rejected with 405 and Allow`() throws {
        let answer = try stack.send(Array("TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
        #expect(answer.status == 405 && answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
        #expect(try stack.get("/%zz").headers["allow"] == nil)
    }

    @Test func `over HTTP/1.0, where a truncated list cannot be detected, lists are only available in pages`() throws {
        try stack.database.sql("INSERT INTO campaign (name) SELECT 'x' FROM generate_series(1, 2000)")
        func get(_ target: String, _ version: String) throws -> Answer {
            try stack.send(Array("GET \(target) HTTP/\(version)\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
        }
        let refused = try get("/campaigns/", "1.0")
        #expect(refused.status == 505 && refused.body.contains("use HTTP/1.1, or pages (limit)"))
        #expect(try get("/campaigns/?limit=1000", "1.0").status == 200)
        #expect(try get("/campaigns/", "1.1").status == 200)
    }

    @Test func `without a worker, nginx responds with 503 in JSON and Retry-After`() throws {
        stack.worker.signal(SIGKILL)
        _ = stack.worker.wait(seconds: 5)
        let answer = try stack.get("/campaigns/", headers: ["Origin: http://ui", "X-Request-Id: me"])
        #expect(answer.status == 503)
        #expect(answer.headers["retry-after"] == "1" && answer.headers["access-control-allow-origin"] == "http://ui")
        #expect(
            answer.body
                == #"{"message":"The service is not available. Try again in a moment.","request_id":"me"}"# + "\n")
    }

    @Test func `if a worker dies during a write, nginx responds with 502 and an unknown outcome`() throws {
        try stack.database.sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$"
        )
        try stack.database.sql("CREATE TRIGGER slow BEFORE INSERT ON campaign FOR EACH ROW EXECUTE FUNCTION slow()")
        let socket = try Socket(port: stack.port)
        let body = #"{"name":"a"}"#
        let fields =
            "Host: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)"
        socket.send(Array("POST /campaigns/ HTTP/1.1\r\n\(fields)\r\n\r\n\(body)".utf8))
        usleep(500_000)
        stack.worker.signal(SIGKILL)
        let answer = Answer(socket.receiveAll())
        #expect(answer.status == 502 && answer.headers["retry-after"] == nil)
        #expect(
            answer.body.hasPrefix(#"{"message":"The service did not answer. The request may have been carried out"#))
    }

    @Test func `Location is valid without a usable Host, and never contains an invalid one`() throws {
        for (version, field) in [("1.0", ""), ("1.1", "Host: ev\"il<>\r\n"), ("1.1", "Host: a,b\r\n")] {
            let answer = try stack.send(
                Array("GET /campaigns HTTP/\(version)\r\n\(field)Connection: close\r\n\r\n".utf8))
            #expect(answer.status == 308 && answer.headers["location"] == "/campaigns/")
        }
    }

    @Test func `cgi-fcgi gets the same response from the socket as curl from nginx`() throws {
        for target in ["/", "/campaigns/", "/campaigns/1", "/campaigns/abc", "/campaigns", "/nowhere"] {
            let environment = [
                "REQUEST_METHOD": "GET", "REQUEST_URI": target, "HTTP_HOST": "localhost:\(stack.port)",
                "REQUEST_ID": "me",
            ]
            let direct = Answer(
                Array(try run(["cgi-fcgi", "-bind", "-connect", stack.socketPath], environment: environment).utf8))
            let curl = try run([
                "curl", "-s", "-i", "-H", "X-Request-Id: me", "http://localhost:\(stack.port)\(target)",
            ])
            let through = Answer(Array(curl.utf8))
            #expect(direct.status == through.status && direct.body == through.body)
            for name in ["location", "content-type", "access-control-allow-origin", "x-request-id"] {
                #expect(direct.headers[name] == through.headers[name], "\(target) \(name)")
            }
        }
    }
}
