#if JWT
    import Foundation
    import TestSupport
    import Testing

    /// A local identity provider, whose keys and tokens are made with openssl.
    private final class Provider {
        let port: Int
        let folder: Folder
        private var server: Child?

        init() throws {
            (folder, port) = (try Folder(), try Socket.freePort())
            try makeKey("first")
            try publish("first")
            try start()
        }

        deinit { server?.signal(SIGKILL) }

        func start() throws {
            server = try Child(
                [
                    "python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "\(folder.path)/public",
                    String(port),
                ],
                output: "\(folder.path)/log")
            try waitUntil("it listens") { (try? Socket(port: port)) != nil }
        }

        func stop() {
            server?.signal(SIGKILL)
            _ = server?.wait(seconds: 5)
        }

        var environment: [String: String] {
            [
                "AUTH": "jwt", "JWT_JWKS_URL": "http://127.0.0.1:\(port)/jwks", "JWT_ISSUER": "https://id.example.org/",
                "JWT_AUDIENCE": "api", "JWT_ROLES_CLAIM": "realm_access.roles",
            ]
        }

        func makeKey(_ id: String) throws {
            try run(["openssl", "genrsa", "-out", "\(folder.path)/\(id).pem", "2048"])
        }

        func publish(_ ids: String...) throws {
            let keys = try ids.map { id in
                let line = try run(["openssl", "rsa", "-in", "\(folder.path)/\(id).pem", "-noout", "-modulus"])
                let hex = Array(line.trimmingCharacters(in: .newlines).dropFirst("Modulus=".count))
                let bytes = stride(from: 0, to: hex.count, by: 2).compactMap {
                    UInt8(String(hex[$0...($0 + 1)]), radix: 16)
                }
                return #"{"kty":"RSA","kid":"\#(id)","use":"sig","alg":"RS256","e":"AQAB","n":"\#(url(Data(bytes)))"}"#
            }
            try FileManager.default.createDirectory(atPath: "\(folder.path)/public", withIntermediateDirectories: true)
            try #"{"keys":[\#(keys.joined(separator: ","))]}"#.write(
                toFile: "\(folder.path)/public/jwks", atomically: true, encoding: .utf8)
        }

        /// Returns an `Authorization` header field with a token that expires in `expires` seconds, and a JSON
        /// `Content-Type`.
        func bearer(_ role: String, key: String = "first", expires: Int = 600, subject: String = "ada") throws
            -> [String]
        {
            let expiry = Int(Date().timeIntervalSince1970) + expires
            let header = #"{"alg":"RS256","kid":"\#(key)","typ":"JWT"}"#
            let claims = #"""
                {"iss":"https://id.example.org/","aud":["account","api"],"sub":"\#(subject)","exp":\#(expiry),"realm_access":{"roles":["\#(role)"]}}
                """#
            let signed = "\(url(Data(header.utf8))).\(url(Data(claims.utf8)))"
            try signed.write(toFile: "\(folder.path)/signed", atomically: true, encoding: .utf8)
            try run([
                "openssl", "dgst", "-sha256", "-sign", "\(folder.path)/\(key).pem", "-out", "\(folder.path)/signature",
                "\(folder.path)/signed",
            ])
            let signature = try Data(contentsOf: URL(filePath: "\(folder.path)/signature"))
            return ["Authorization: Bearer \(signed).\(url(signature))", "Content-Type: application/json"]
        }

        private func url(_ data: Data) -> String {
            data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
    }

    /// Access tokens of an identity provider, through nginx.
    @Suite(.serialized) struct JWTTests {
        @Test func `tokens grant their roles, and the history contains their subjects`() throws {
            let provider = try Provider()
            let stack = try Stack(environment: provider.environment)
            let (reader, editor) = (try provider.bearer("reader"), try provider.bearer("editor"))
            #expect(try stack.get("/campaigns/").status == 401)
            #expect(try stack.get("/campaigns/").headers["www-authenticate"] == #"Bearer realm="aktify""#)
            #expect(try stack.get("/").status == 200)
            #expect(try stack.get("/campaigns/", headers: reader).status == 200)
            let refused = try stack.request("POST", "/campaigns/", headers: reader, body: #"{"name":"a"}"#)
            #expect(refused.status == 403 && refused.body.contains("This needs the role editor; yours is reader."))
            #expect(try stack.request("POST", "/campaigns/", headers: editor, body: #"{"name":"a"}"#).status == 201)
            #expect(try stack.get("/campaigns/1/history", headers: reader).body.contains(#""author":"jwt:ada""#))
            let without = try stack.get("/campaigns/", headers: provider.bearer("other"))
            #expect(without.status == 403)
            #expect(without.headers["www-authenticate"] == #"Bearer realm="aktify", error="insufficient_scope""#)
            let expired = try stack.get("/campaigns/", headers: provider.bearer("admin", expires: -61))
            #expect(expired.status == 401 && expired.body.contains("The token has expired."))
            #expect(expired.headers["www-authenticate"] == #"Bearer realm="aktify", error="invalid_token""#)
            let damaged = try stack.get("/campaigns/", headers: [reader[0] + "A", reader[1]])
            #expect(damaged.status == 401)
            let large = try stack.get(
                "/campaigns/", headers: provider.bearer("reader", subject: String(repeating: "x", count: 6500)))
            #expect(large.status == 431)
            #expect(try stack.get("/openapi.json").body.contains(#""bearerFormat":"JWT""#))
            for log in [
                stack.worker.log, try String(contentsOfFile: "\(stack.folder.path)/nginx-error.log", encoding: .utf8),
            ] {
                #expect(!log.contains(reader[0].dropFirst(22).prefix(40)))
            }
        }

        @Test func `key rotation and an outage of the provider cause no rejections`() throws {
            let provider = try Provider()
            let stack = try Stack(loops: 1, environment: provider.environment)
            let first = try provider.bearer("reader")
            #expect(try stack.get("/campaigns/", headers: first).status == 200)
            try provider.makeKey("second")
            try provider.publish("first", "second")
            let second = try provider.bearer("editor", key: "second")
            // The keys were just loaded: an unknown key has to wait until they may be loaded again.
            let started = Date()
            while try stack.get("/campaigns/", headers: second).status == 401, Date().timeIntervalSince(started) < 60 {
                usleep(500_000)
            }
            #expect(try stack.get("/campaigns/", headers: second).status == 200)
            #expect((15...40).contains(Date().timeIntervalSince(started)))
            #expect(try stack.get("/campaigns/", headers: first).status == 200)
            provider.stop()
            sleep(31)
            try provider.makeKey("third")
            #expect(try stack.get("/campaigns/", headers: provider.bearer("reader", key: "third")).status == 401)
            try waitUntil("the failure is logged: \(stack.worker.log)") {
                stack.worker.log.contains("the previous keys remain in use")
            }
            for _ in 0..<20 {
                #expect(try stack.get("/campaigns/", headers: first).status == 200)
                #expect(
                    try stack.get("/campaigns/", headers: provider.bearer("reader", subject: "\(UUID())")).status == 200
                )
            }
        }

        @Test func `without keys, requests get 503, and open routes still work`() throws {
            let provider = try Provider()
            provider.stop()
            let stack = try Stack(loops: 1, environment: provider.environment)
            let answer = try stack.get("/campaigns/", headers: provider.bearer("reader"))
            #expect(answer.status == 503 && answer.headers["retry-after"] == "30")
            #expect(try stack.get("/").status == 200)
            try provider.start()
            try waitUntil("keys come: \(stack.worker.log)") {
                usleep(500_000)
                return try stack.get("/campaigns/", headers: provider.bearer("reader")).status == 200
            }
        }

        @Test func `a malformed configuration is a startup error of one line`() throws {
            let provider = try Provider()
            for (name, value, said) in [
                ("JWT_JWKS_URL", "http://id.example.org/", "JWT_JWKS_URL: expected a URL"),
                ("JWT_ISSUER", "", "JWT_ISSUER: is required"),
                ("JWT_CLOCK_SKEW_S", "x", "JWT_CLOCK_SKEW_S: expected a whole number"),
            ] {
                let environment = provider.environment.merging([name: value]) { $1 }
                let (status, output) = try runToEnd([Stack.program, "serve", "--check"], environment: environment)
                #expect(
                    status == 1 && output.hasPrefix("Error: \(said)") && output.filter { $0 == "\n" }.count == 1,
                    "\(output)")
            }
        }
    }
#endif
