#if JWT
    import EventLoop
    import FoundationEssentials
    import JWTKit
    import Synchronization
    import TestSupport
    import Testing
    import Web

    @testable import JWTAuthentication

    /// A key pair of a provider.
    private struct SigningKey: Sendable {
        let algorithm: String
        /// The members of the public key as a JWK, without `kid`.
        let members: [String: String]
        let sign: @Sendable ([UInt8]) throws -> [UInt8]

        private init(_ algorithm: String, _ members: [String: String], _ signer: any JWTAlgorithm) {
            (self.algorithm, self.members) = (algorithm, members)
            sign = { try signer.sign($0) }
        }

        static func es256() async throws -> SigningKey {
            let key = ES256PrivateKey()
            let (x, y) = try #require(key.parameters)
            func url(_ text: String) -> String {
                text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
            }
            let signer = try await JWTKeyCollection().add(ecdsa: key).getKey()
            return SigningKey("ES256", ["kty": "EC", "crv": "P-256", "x": url(x), "y": url(y)], signer)
        }

        static func edDSA() async throws -> SigningKey {
            let key = try EdDSA.PrivateKey()
            let signer = try await JWTKeyCollection().add(eddsa: key).getKey()
            let x = Array(key.publicKey.rawRepresentation).base64URL
            return SigningKey("EdDSA", ["kty": "OKP", "crv": "Ed25519", "x": x], signer)
        }

        static func rs256() async throws -> SigningKey {
            let key = try Insecure.RSA.PrivateKey(pem: run(["openssl", "genrsa", "2048"]))
            let signer = try await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256).getKey()
            let parts = try key.publicKey.getKeyPrimitives()
            let (n, e) = (Array(parts.modulus).base64URL, Array(parts.publicExponent).base64URL)
            return SigningKey("RS256", ["kty": "RSA", "n": n, "e": e], signer)
        }

        static func all() async throws -> [SigningKey] { try await [.rs256(), .es256(), .edDSA()] }

        /// The public key as a JWK, with some members replaced, or removed when the value is `nil`.
        func jwk(_ id: String? = "a", _ changes: [String: String?] = [:]) -> String {
            var all = members.mapValues { "\"\($0)\"" }
            all["kid"] = id.map { "\"\($0)\"" }
            for (name, value) in changes { all[name] = value }
            return "{" + all.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
        }

        func token(_ id: String = "a", header: String? = nil, claims: String = Token.claims()) throws -> Token {
            var token = Token(header: header ?? #"{"alg":"\#(algorithm)","kid":"\#(id)"}"#, claims: claims)
            token.signature = try sign(Array(token.signed.utf8))
            return token
        }
    }

    @Suite struct SignatureTests {
        private func set(_ keys: String...) -> [UInt8] { Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8) }

        private func authenticator(_ set: [UInt8]) -> JWTAuthenticator {
            JWTAuthenticator(Token.provider, keys: KeyStore { try await KeySet(jwks: set) }, time: { Token.now })
        }

        /// The outcome of authenticating with a token and the keys of a JWK Set: see `JWTAuthenticator.outcome(_:)`.
        private func outcome(_ token: String, _ set: [UInt8]) throws -> String {
            try Loop.run { await self.authenticator(set).outcome(token) }
        }

        @Test func `a token of each algorithm is accepted, and every modification is rejected`() async throws {
            for key in try await SigningKey.all() {
                let token = try key.token()
                let set = set(
                    key.jwk("a", ["use": #""sig""#, "alg": "\"\(key.algorithm)\"", "key_ops": #"["verify"]"#]))
                #expect(try outcome(token.text, set) == "jwt:ada editor")
                let outcomes = try Loop.run {
                    let authenticator = self.authenticator(set)
                    var outcomes: Set<String> = []
                    for index in token.signature.indices {
                        var other = token
                        other.signature[index] ^= 1
                        outcomes.insert(await authenticator.outcome(other.text))
                    }
                    for signature in [
                        [], Array(token.signature.dropLast()), token.signature + [0], [UInt8](repeating: 0, count: 64),
                    ] {
                        var other = token
                        other.signature = signature
                        outcomes.insert(await authenticator.outcome(other.text))
                    }
                    var other = token
                    other.claims = Token.claims(["roles": #"["admin"]"#])
                    outcomes.insert(await authenticator.outcome(other.text))
                    return outcomes
                }
                #expect(
                    outcomes.allSatisfy {
                        $0 == "401 The signature of the token is not valid." || $0.contains("not a signed JWT")
                    })
            }
        }

        @Test func `a key is not used with another algorithm`() async throws {
            let keys = try await SigningKey.all()
            let set = set(keys[0].jwk("RS256"), keys[1].jwk("ES256"), keys[2].jwk("EdDSA"))
            for key in keys {
                for other in keys {
                    let text = try key.token(header: #"{"alg":"\#(key.algorithm)","kid":"\#(other.algorithm)"}"#).text
                    let isAccepted = key.algorithm == other.algorithm
                    let refusal = "401 The identity provider has no \(key.algorithm) key"
                    #expect(try outcome(text, set).hasPrefix(isAccepted ? "jwt:ada" : refusal))
                    let renamed = try key.token(header: #"{"alg":"\#(other.algorithm)","kid":"\#(other.algorithm)"}"#)
                        .text
                    #expect(
                        try outcome(renamed, set)
                            == (isAccepted ? "jwt:ada editor" : "401 The signature of the token is not valid."))
                }
            }
        }

        @Test func `HMAC with the public key as secret, and the algorithm none, are rejected`() async throws {
            let key = try await SigningKey.rs256()
            let set = set(key.jwk())
            for secret in [Array(key.jwk().utf8), Array((key.members["n"] ?? "").utf8), set] {
                let signer = try await JWTKeyCollection().add(
                    hmac: HMACKey(from: secret), digestAlgorithm: .sha256
                ).getKey()
                for name in ["HS256", "RS256"] {
                    var token = Token(header: #"{"alg":"\#(name)","kid":"a"}"#)
                    token.signature = try signer.sign(Array(token.signed.utf8))
                    #expect(try outcome(token.text, set).hasPrefix("401 "))
                }
            }
            for name in ["none", "RS256"] {
                let token = Token(header: #"{"alg":"\#(name)","kid":"a"}"#, signature: [])
                #expect(try outcome(token.text, set).hasPrefix("401 "))
            }
        }

        @Test func `a key in the header of the token is not used`() async throws {
            let (own, other) = (try await SigningKey.es256(), try await SigningKey.es256())
            let header =
                #"{"alg":"ES256","kid":"a","jwk":\#(other.jwk()),"jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/"}"#
            #expect(
                try outcome(other.token(header: header).text, set(own.jwk()))
                    == "401 The signature of the token is not valid.")
            #expect(try outcome(own.token(header: header).text, set(own.jwk())) == "jwt:ada editor")
        }

        @Test func `the claims of a correctly signed token are validated too`() async throws {
            let key = try await SigningKey.es256()
            for (changes, problem) in [
                (["exp": "1700000000"], "401 The token has expired."), (["exp": nil], "401 The token has no exp"),
                (["nbf": "1900000000"], "401 The token is not valid yet."),
                (["iss": #""x""#], "401 The token has another issuer"),
                (["aud": #""x""#], "401 The token has another audience"), (["sub": nil], "401 The token needs a sub"),
                (["roles": nil], "403 The token has none of the roles"),
            ] as [([String: String?], String)] {
                let text = try key.token(claims: Token.claims(changes)).text
                #expect(try outcome(text, set(key.jwk())).hasPrefix(problem))
            }
        }

        @Test func `keys for another purpose, private keys and malformed keys are ignored`() async throws {
            let good = try await SigningKey.es256()
            for key in try await SigningKey.all() {
                for (id, changes) in [
                    ("a", ["use": #""enc""#]), ("a", ["use": "7"]), ("a", ["alg": #""RS512""#]),
                    ("a", ["alg": #""HS256""#]),
                    ("a", ["alg": "null"]), ("a", ["key_ops": #"["sign"]"#]), ("a", ["key_ops": #""verify""#]),
                    ("a", ["kty": #""oct""#]), ("a", ["kty": nil]), ("a", ["d": #""AQ""#]), (nil, [:]), ("", [:]),
                    ("a", ["n": #""AQAB""#, "x": #""AQAB""#]), ("a", ["n": nil, "x": nil]), ("a", ["kid": "7"]),
                    ("a", ["n": #""*""#, "x": #""*""#]),
                ] as [(String?, [String: String?])] {
                    let keys = try await KeySet(jwks: set(good.jwk("good"), key.jwk(id, changes)))
                    #expect(keys.count == 1, "\(key.algorithm) \(changes)")
                }
            }
            let others = [#""crv":"P-384""#, #""crv":"secp256k1""#, #""crv":"X25519""#, #""crv":"Ed448""#].map {
                #"{"kty":"EC",\#($0),"kid":"a","x":"AQ","y":"AQ"}"#
            }
            #expect(
                try await KeySet(jwks: set(good.jwk("good"), others.joined(separator: ","), "7", "null")).count == 1)
        }

        @Test func `an RSA key of less than 2048 bits is ignored`() async throws {
            for (bits, count) in [(1024, 1), (2047, 1), (2048, 2), (4096, 2)] {
                let pem = try run(["openssl", "genrsa", String(bits)])
                let hex = try run(["openssl", "rsa", "-noout", "-modulus"], input: pem).split(separator: "=")[1].filter(
                    \.isHexDigit)
                let bytes = stride(from: 0, to: hex.count, by: 2).compactMap {
                    UInt8(hex.dropFirst($0).prefix(2), radix: 16)
                }
                // Leading zeros do not make the key stronger.
                let weak =
                    #"{"kty":"RSA","kid":"weak","e":"AQAB","n":"\#(([UInt8](repeating: 0, count: 200) + bytes).base64URL)"}"#
                let keys = try await KeySet(jwks: set(SigningKey.es256().jwk(), weak))
                #expect(keys.count == count, "\(bits)")
            }
        }

        @Test func `a malformed, an empty and a too large JWK Set are rejected`() async throws {
            let key = try await SigningKey.es256()
            for text in [
                "", "<html><body>Sign in</body></html>", "{}", "[]", "7", #"{"keys":{}}"#, #"{"keys":"x"}"#, key.jwk(),
            ] {
                await #expect(throws: KeySetError("the document is not a JWK Set")) {
                    try await KeySet(jwks: Array(text.utf8))
                }
            }
            for text in [#"{"keys":[]}"#, #"{"keys":[7]}"#] {
                await #expect(throws: KeySetError("the JWK Set has no usable key")) {
                    try await KeySet(jwks: Array(text.utf8))
                }
            }
            let hundred = (1...100).map { key.jwk("\($0)") }.joined(separator: ",")
            #expect(try await KeySet(jwks: set(hundred)).count == 100)
            await #expect(throws: KeySetError("the JWK Set has more than 100 keys")) {
                try await KeySet(jwks: set(hundred, key.jwk("101")))
            }
            await #expect(throws: KeySetError("the JWK Set has more than 1000000 bytes")) {
                try await KeySet(jwks: set(key.jwk("a", ["x5c": "\"\(String(repeating: "x", count: 1_000_000))\""])))
            }
        }

        @Test func `a corrupted JWK Set does not crash the process`() async throws {
            let whole = set(try await SigningKey.es256().jwk(), try await SigningKey.edDSA().jwk("b"))
            var random = SeededGenerator(seed: 1)
            for _ in 0..<2000 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                _ = try? await KeySet(jwks: bytes)
            }
        }

        @Test func `prints the duration of a verification`() async throws {
            for key in try await SigningKey.all() {
                let (text, set) = (try key.token().text, set(key.jwk()))
                let (fresh, cached) = try Loop.run {
                    let keys = KeyStore { try await KeySet(jwks: set) }
                    func tenths(_ count: Int, _ body: () async throws -> Void) async rethrows -> Int {
                        let start = Instant.now
                        for _ in 0..<count { try await body() }
                        return Int(Instant.now.nanoseconds(since: start)) / count / 100
                    }
                    let warm = JWTAuthenticator(Token.provider, keys: keys, time: { Token.now })
                    _ = await warm.outcome(text)
                    let fresh = await tenths(200) {
                        _ = await JWTAuthenticator(Token.provider, keys: keys, time: { Token.now }).outcome(text)
                    }
                    return (fresh, await tenths(2000) { _ = await warm.outcome(text) })
                }
                print(
                    "\(key.algorithm): \(fresh / 10).\(fresh % 10) µs per verification, \(cached / 10).\(cached % 10) µs when cached"
                )
            }
        }
    }
#endif
