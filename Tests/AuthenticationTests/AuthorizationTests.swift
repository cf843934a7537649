import EventLoop
import HTTPTypes
import Synchronization
import TestSupport
import Testing
import Web

@testable import Authentication

@Suite struct AuthorizationTests {
    private static let key = APIKey()
    private static let crm = Principal(name: "key:crm", role: .editor)

    private func application(_ authenticator: KeyAuthenticator?) throws -> Application {
        var blueprint = Blueprint("test")
        blueprint.get("/open", access: .open) { _ in .json("open") }
        blueprint.get("/read", access: .role(.reader)) { .json($0.principal?.name ?? "nobody") }
        blueprint.post("/read", access: .role(.editor)) { .json($0.principal?.name ?? "nobody") }
        blueprint.delete("/read", access: .role(.admin)) { _ in Response(.noContent) }
        blueprint.get("/undeclared") { _ in .json("undeclared") }
        var app = Application()
        if let authenticator { app.authorize(by: authorize(authenticator)) }
        try app.mount(blueprint, at: "/")
        return app
    }

    private func respond(
        _ app: Application, _ method: HTTPRequest.Method, _ path: String, _ authorization: String...
    ) async -> (status: Int, challenge: String?, body: String) {
        var headers = HeaderFields()
        for value in authorization { headers.append(.authorization, value) }
        let response = await app.respond(to: Request(method: method, target: path, headers: headers))
        guard case .bytes(let bytes) = response.body else { return (response.status.code, nil, "") }
        return (response.status.code, response.headers[.wwwAuthenticate], String(decoding: bytes, as: UTF8.self))
    }

    private func keys(_ find: @escaping @Sendable (APIKey) async throws -> KnownKey?) -> KeyAuthenticator {
        KeyAuthenticator(find: find, recordUse: { _ in })
    }

    private func known(_ state: KnownKey.State = .valid, _ role: Role = .editor) -> KnownKey {
        KnownKey(id: 1, principal: Principal(name: "key:crm", role: role), state: state, shouldRecordUse: false)
    }

    @Test func `without an authorizer every client may do everything`() async throws {
        let app = try application(nil)
        #expect(await respond(app, .delete, "/read").status == 204)
        #expect(await respond(app, .get, "/undeclared").status == 200)
    }

    @Test func `open routes, OPTIONS, 404 and 405 require no key`() async throws {
        let app = try application(keys { _ in nil })
        #expect(await respond(app, .get, "/open").status == 200)
        #expect(await respond(app, .options, "/read").status == 200)
        #expect(await respond(app, .get, "/nowhere").status == 404)
        #expect(await respond(app, .put, "/read").status == 405)
    }

    @Test func `a request without a key is rejected with 401, with a challenge without error code`() async throws {
        let answer = await respond(try application(keys { _ in nil }), .get, "/read")
        #expect(answer.status == 401)
        #expect(answer.challenge == "Bearer realm=\"aktify\"")
    }

    @Test(arguments: ["Basic YTpi", "Bearer", "Bearer ", "bearer\t" + key.text, key.text])
    func `another authentication scheme is rejected with 401`(authorization: String) async throws {
        #expect(await respond(try application(keys { _ in nil }), .get, "/read", authorization).status == 401)
    }

    @Test func `a request with two keys is rejected with 401`() async throws {
        let value = "Bearer " + Self.key.text
        #expect(await respond(try application(keys { _ in nil }), .get, "/read", value, value).status == 401)
    }

    @Test func `a mistyped key is distinguished from an unknown one, and is not looked up`() async throws {
        let lookups = Mutex(0)
        let known = known()
        let app = try application(
            keys { _ in
                lookups.withLock { $0 += 1 }
                return known
            })
        let answer = await respond(app, .get, "/read", "Bearer " + Self.key.text.dropLast() + "~")
        #expect(answer.status == 401)
        #expect(answer.challenge == "Bearer realm=\"aktify\", error=\"invalid_token\"")
        #expect(answer.body.contains("a character is wrong or missing"))
        #expect(lookups.withLock { $0 } == 0)
    }

    @Test func `a canonically equivalent spelling of a cached key is rejected`() async throws {
        var key = APIKey()
        while !key.text.contains("K") { key = APIKey() }
        let known = known()
        let app = try application(keys { _ in known })
        #expect(await respond(app, .get, "/read", "Bearer " + key.text).status == 200)
        // U+212A (KELVIN SIGN) is canonically equivalent to K.
        let other = key.text.replacing("K", with: "\u{212a}")
        #expect(other == key.text)
        #expect(await respond(app, .get, "/read", "Bearer " + other).status == 401)
    }

    @Test(arguments: [(KnownKey.State.revoked, "The key was revoked."), (.expired, "The key has expired.")])
    func `a revoked or expired key is rejected with 401`(state: KnownKey.State, message: String) async throws {
        let known = known(state)
        let answer = await respond(try application(keys { _ in known }), .get, "/read", "Bearer " + Self.key.text)
        #expect(answer.status == 401)
        #expect(answer.body.contains(message))
    }

    @Test(
        arguments: [Role.reader, .editor, .admin],
        [(HTTPRequest.Method.get, Role.reader), (.post, .editor), (.delete, .admin)])
    func `a role includes the permissions of the roles before it`(role: Role, route: (HTTPRequest.Method, Role))
        async throws
    {
        let (method, needed) = route
        let known = known(.valid, role)
        let answer = await respond(try application(keys { _ in known }), method, "/read", "Bearer " + Self.key.text)
        if role >= needed {
            #expect(answer.status < 300)
        } else {
            #expect(answer.status == 403)
            #expect(
                answer.challenge
                    == "Bearer realm=\"aktify\", error=\"insufficient_scope\", scope=\"\(needed.rawValue)\"")
            #expect(answer.body.contains("This needs the role \(needed.rawValue); yours is \(role.rawValue)."))
        }
    }

    @Test func `HEAD requires the same role as GET`() async throws {
        #expect(await respond(try application(keys { _ in nil }), .head, "/read").status == 401)
    }

    @Test func `a route that declares no access is denied to everyone`() async throws {
        let known = known(.valid, .admin)
        let answer = await respond(
            try application(keys { _ in known }), .get, "/undeclared", "Bearer " + Self.key.text)
        #expect(answer.status == 403)
    }

    @Test func `the handler receives the principal`() async throws {
        let known = known()
        let answer = await respond(try application(keys { _ in known }), .get, "/read", "bEARER " + Self.key.text)
        #expect(answer.body.contains("key:crm"))
    }

    @Test func `a key in use is refreshed in the background, between two and three times a second`() throws {
        try Loop.run {
            let lookups = Mutex(0)
            let clock = Mutex(Instant.now)
            let known = known()
            let authenticator = KeyAuthenticator(
                find: { _ in
                    lookups.withLock { $0 += 1 }
                    return known
                }, recordUse: { _ in }, now: { clock.withLock { $0 } })
            let request = Request(
                method: .get, target: "/", headers: [.authorization: "Bearer " + Self.key.text])
            for _ in 0..<3000 {
                _ = try await authenticator.authenticate(request)
                try await Loop.current?.sleep(for: .zero)
                clock.withLock { $0 = $0.advanced(by: .milliseconds(1)) }
            }
            #expect((7...8).contains(lookups.withLock { $0 }))
        }
    }

    @Test func `repeated uses of a key record its last use once, when it is due`() throws {
        try Loop.run {
            let uses = Mutex<[Int64]>([])
            let authenticator = KeyAuthenticator(
                find: { _ in KnownKey(id: 7, principal: Self.crm, state: .valid, shouldRecordUse: true) },
                recordUse: { id in uses.withLock { $0.append(id) } })
            let request = Request(
                method: .get, target: "/", headers: [.authorization: "Bearer " + Self.key.text])
            for _ in 0..<10 { _ = try await authenticator.authenticate(request) }
            for _ in 0..<100 where uses.withLock({ $0.isEmpty }) {
                try await Loop.current?.sleep(for: .milliseconds(1))
            }
            #expect(uses.withLock { $0 } == [7])
        }
    }

    @Test func `an error of the lookup is the error of the request`() async throws {
        struct Outage: HTTPErrorConvertible { var httpError: HTTPError { HTTPError(.serviceUnavailable, "Later.") } }
        let app = try application(keys { _ in throw Outage() })
        #expect(await respond(app, .get, "/read", "Bearer " + Self.key.text).status == 503)
    }
}
