import HTTPTypes
import Testing

@testable import Web

@Suite struct ApplicationTests {
    struct Unknown: Error {}

    private func client(cors: CORS = .anyOrigin) throws -> TestClient {
        var things = Blueprint("test")
        things.get("/") { _ in .json("list") }
        things.post("/") { _ in .json("made", status: .created) }
        things.get("/<id>") { .json($0.parameter("id")) }
        things.get("/broken/now") { _ in throw Unknown() }
        things.get("/stream/now") { _ in
            Response(.ok, body: .stream { for piece in ["a", "b"] { try await $0.write(Array(piece.utf8)) } })
        }
        var root = Blueprint("test")
        root.get("/") { _ in .json("root") }
        var app = Application(cors: cors)
        try app.mount(root, at: "/")
        try app.mount(things, at: "/things")
        return TestClient(app)
    }

    @Test(arguments: [
        ("/", "\"root\"\n"), ("/things/", "\"list\"\n"), ("/things/7", "\"7\"\n"), ("/things/%37?x=%2F", "\"7\"\n"),
        ("/things/a%2Fb", "\"a/b\"\n"),
        ("/things/%zz", "\"%zz\"\n"), ("/thin%67s/", "\"list\"\n"),
    ]) func `a request is routed by its percent-decoded path`(target: String, body: String) async throws {
        let answer = try await client().get(target)
        #expect(answer.status == .ok)
        #expect(answer.text == body)
        #expect(answer.headers[.contentType] == "application/json")
        #expect(answer.headers[.contentLength] == String(body.utf8.count))
    }

    @Test(arguments: ["/nowhere", "/Things/", "/things/7/", "/things/7/8", "/things/a%2F/b", "*"])
    func `an unknown path is answered with 404`(target: String) async throws {
        let answer = try await client().get(target)
        #expect(answer.status == .notFound)
        #expect(answer.text.hasPrefix(#"{"message":"Not found.","request_id":""#))
    }

    @Test func `an unsupported method is rejected with 405, and Allow lists the supported ones`() async throws {
        for (target, allow) in [
            ("/things/", "GET, HEAD, OPTIONS, POST"), ("/things", "GET, HEAD, OPTIONS, POST"),
            ("/things/7", "GET, HEAD, OPTIONS"),
        ] {
            let answer = try await client().send(.delete, target)
            #expect(answer.status == .methodNotAllowed)
            #expect(answer.headers[.allow] == allow)
        }
    }

    @Test(arguments: [
        ("/things", "/things/"), ("/things?a=1&b=%20x+y", "/things/?a=1&b=%20x+y"), ("/things?", "/things/"),
        ("/things//", "/things/"),
        ("//", "/"), ("/things//7?q", "/things/7?q"),
    ]) func `a missing or a repeated slash is answered with a 308 redirect to an absolute URL`(
        target: String, location: String
    )
        async throws
    {
        for method in [HTTPRequest.Method.get, .head, .options] {
            let answer = try await client().send(method, target, headers: [.origin: "http://ui"])
            #expect(answer.status == .permanentRedirect)
            #expect(answer.headers[.location] == "http://localhost:5051" + location)
            #expect(answer.headers[.accessControlAllowOrigin] == "http://ui")
        }
    }

    @Test func `HEAD is GET without the body`() async throws {
        for target in ["/things/", "/nowhere"] {
            let (get, head) = (try await client().get(target), try await client().send(.head, target))
            #expect(head.status == get.status)
            #expect(head.body.isEmpty)
            #expect(head.headers[.contentLength] == get.headers[.contentLength])
        }
    }

    @Test(arguments: [HTTPResponse.Status.noContent, .notModified])
    func `204 and 304 have no Content-Length and no body`(status: HTTPResponse.Status) async throws {
        var things = Blueprint("test")
        things.route(.delete, "/<id>") { _ in Response(status) }
        things.get("/<id>") { _ in .json("never sent", status: status) }
        things.get("/<id>/stream") { _ in Response(status, body: .stream { try await $0.write([1]) }) }
        var app = Application()
        try app.mount(things, at: "/things")
        let client = TestClient(app)
        for (method, target) in [
            (HTTPRequest.Method.delete, "/things/7"), (.get, "/things/7"), (.head, "/things/7"),
            (.get, "/things/7/stream"),
        ] {
            let answer = try await client.send(method, target)
            #expect(answer.status == status && answer.body.isEmpty)
            #expect(answer.headers[.contentLength] == nil)
            #expect(answer.headers[.requestID] != nil)
        }
    }

    @Test(arguments: [
        "example.org", "example.org:8080", "EXAMPLE.org:", "a_b-c~1", "127.0.0.1:5051", "[::1]",
        "[2001:DB8::7.8.9.1]:80",
    ]) func `a redirect contains the host of the request`(host: String) async throws {
        let answer = try await client().get("/things", headers: [.hostName: host])
        #expect(answer.headers[.location] == "http://\(host)/things/")
    }

    @Test(arguments: [
        nil, "", #"ev"il<>"#, "a/b", "user@example.org", "a b", "a,b", "a?b", "a#b", "example.org:x",
        "example.org:123456",
        "[::1", "[]", "[::1]x", "[::g]", "a:1:2", ":80", "a\u{e9}", "a%41", "a\\b", "a\tb",
    ]) func `without a valid Host the location of a redirect is only a path`(host: String?) async throws {
        var headers: HeaderFields = [:]
        if let host { headers[.hostName] = host }
        let request = Request(method: .get, target: "/things?a=1", headers: headers)
        var things = Blueprint("test")
        things.get("/") { _ in .json("list") }
        var app = Application()
        try app.mount(things, at: "/things")
        let response = await app.respond(to: request)
        #expect(response.status == .permanentRedirect && response.headers[.location] == "/things/?a=1")
    }

    @Test func `OPTIONS on a known path has Allow and no body`() async throws {
        let answer = try await client().send(.options, "/things/")
        #expect(answer.status == .ok)
        #expect(answer.body.isEmpty)
        #expect(answer.headers[.allow] == "GET, HEAD, OPTIONS, POST")
        #expect(try await client().send(.options, "/nowhere").status == .notFound)
    }

    @Test func `an unexpected error is answered with a 500 that reveals nothing`() async throws {
        let answer = try await client().get("/things/broken/now", headers: [.requestID: "me-1"])
        #expect(answer.status == .internalServerError)
        #expect(answer.text == #"{"message":"Internal Server Error","request_id":"me-1"}"# + "\n")
    }

    @Test func `a streamed body has no Content-Length`() async throws {
        let answer = try await client().get("/things/stream/now")
        #expect(answer.text == "ab")
        #expect(answer.headers[.contentLength] == nil)
    }

    @Test func `a valid request ID is returned, and an invalid one is replaced`() async throws {
        for id in ["a", "A-b.c_9", String(repeating: "x", count: 128)] {
            #expect(try await client().get("/", headers: [.requestID: id]).headers[.requestID] == id)
        }
        for id in ["a b", String(repeating: "x", count: 129), "<x>"] {
            let made = try #require(try await client().get("/", headers: [.requestID: id]).headers[.requestID])
            #expect(made.utf8.count == 32 && made != id)
        }
        // The ID of the server in front is validated too: change records contain the ID, a space, and the name of the
        // client.
        #expect(Request(method: .get, target: "/", id: "s-1").id == "s-1")
        #expect(Request(method: .get, target: "/", id: "s key:ada").id.utf8.count == 32)
    }

    @Test func `by default CORS allows every origin by echoing it`() async throws {
        let plain = try await client().get("/nowhere")
        #expect(plain.headers[.accessControlAllowOrigin] == "*")
        #expect(plain.headers[.vary] == nil)
        let foreign = try await client().get("/", headers: [.origin: "null"])
        #expect(foreign.headers[.accessControlAllowOrigin] == "null")
        #expect(foreign.headers[.vary] == "Origin")
        #expect(foreign.headers[.accessControlAllowMethods] == nil)
    }

    @Test func `a preflight response has all methods, and the requested header fields, sorted`() async throws {
        let headers: HeaderFields = [
            .origin: "http://ui", .accessControlRequestMethod: "post",
            .accessControlRequestHeaders: "zeta, X-A,Alpha , x-a",
        ]
        let answer = try await client().send(.options, "/things/", headers: headers)
        #expect(answer.headers[.accessControlAllowMethods] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
        #expect(answer.headers[.accessControlAllowHeaders] == "Alpha, X-A, x-a, zeta")
        let unknown = try await client().send(.options, "/things/", headers: [.accessControlRequestMethod: "BREW"])
        #expect(unknown.headers[.accessControlAllowMethods] == nil)
    }

    @Test func `a list of origins excludes all others`() async throws {
        let client = try client(cors: .origins(["http://ui"]))
        #expect(
            try await client.get("/", headers: [.origin: "http://ui"]).headers[.accessControlAllowOrigin] == "http://ui"
        )
        #expect(try await client.get("/", headers: [.origin: "http://evil"]).headers[.accessControlAllowOrigin] == nil)
    }

    @Test func `a duplicate route, a duplicate prefix and a malformed prefix fail at start-up`() {
        var twice = Blueprint("test")
        twice.get("/<id>") { _ in .json("a") }
        twice.get("/<name>") { _ in .json("b") }
        let route = #expect(throws: SetupError.self) {
            var app = Application()
            try app.mount(twice, at: "/x")
        }
        #expect(route?.description == "the route GET /x/<name> is defined twice: remove one of them")
        var renamed = Blueprint("test")
        renamed.get("/<id>") { _ in .json("a") }
        renamed.put("/<name>") { _ in .json("b") }
        let parameter = #expect(throws: SetupError.self) {
            var app = Application()
            try app.mount(renamed, at: "/x")
        }
        #expect(
            parameter?.description == "/x/<id> and /x/<name> are the same path: give their parameters the same names")
        #expect(throws: SetupError.self) {
            var app = Application()
            try app.mount(Blueprint("test"), at: "/x")
            try app.mount(Blueprint("test"), at: "/x")
        }
        for prefix in ["x", "/x/", ""] {
            #expect(throws: SetupError.self) {
                var app = Application()
                try app.mount(Blueprint("test"), at: prefix)
            }
        }
    }

    @Test func `a query may begin with a combining character`() {
        let target = Target("/a?\u{64d}b=1")
        #expect(target.path == "/a" && target.query.unicodeScalars.elementsEqual("\u{64d}b=1".unicodeScalars))
    }
}
