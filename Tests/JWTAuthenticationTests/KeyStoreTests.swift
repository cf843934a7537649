import EventLoop
import Synchronization
import Testing
import Web

@testable import JWTAuthentication

/// Loading keys, with fake keys and a simulated clock.
@Suite struct KeyStoreTests {
    /// A simulated provider, whose keys can change, and which can be down.
    private final class Provider: Sendable {
        let keys = Mutex<[VerificationKey]?>([VerificationKey("a")])
        let loads = Mutex(0)
        let clock = Mutex(Instant.now)

        func advance(_ seconds: Int) { clock.withLock { $0 = $0.advanced(by: .seconds(seconds)) } }

        func store(delay: Duration = .zero) -> KeyStore {
            KeyStore(
                load: {
                    self.loads.withLock { $0 += 1 }
                    try await Loop.current?.sleep(for: delay)
                    guard let keys = self.keys.withLock({ $0 }) else { throw KeySetError("the provider is down") }
                    return try KeySet(keys)
                }, now: { self.clock.withLock { $0 } })
        }

        func authenticator(delay: Duration = .zero) -> JWTAuthenticator {
            JWTAuthenticator(Token.provider, keys: store(delay: delay), time: { Token.now })
        }

        var count: Int { loads.withLock { $0 } }
    }

    private func token(_ id: String, signature: UInt8 = 1) -> String {
        Token(header: #"{"alg":"ES256","kid":"\#(id)"}"#, signature: [signature]).text
    }

    private static let unknown = "401 The identity provider has no ES256 key with the kid of the token."

    @Test func `a token is verified with the key that its header selects`() throws {
        try Loop.run {
            let provider = Provider()
            let authenticator = provider.authenticator()
            #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor")
            #expect(
                await authenticator.outcome(self.token("a", signature: 2))
                    == "401 The signature of the token is not valid.")
            #expect(await authenticator.outcome(self.token("b")) == Self.unknown)
            let other = Token(header: #"{"alg":"RS256","kid":"a"}"#).text
            #expect(
                await authenticator.outcome(other)
                    == "401 The identity provider has no RS256 key with the kid of the token.")
            #expect(provider.count == 1)
        }
    }

    @Test func `a token without a role is rejected with 403`() throws {
        try Loop.run {
            let authenticator = Provider().authenticator()
            let text = Token(claims: Token.claims(["roles": #"["other"]"#])).text
            let error = await #expect(throws: HTTPError.self) {
                try await authenticator.authenticate(Token.request(text))
            }
            #expect(error?.status == .forbidden)
            #expect(error?.headers[.wwwAuthenticate] == #"Bearer realm="aktify", error="insufficient_scope""#)
        }
    }

    @Test func `a hundred concurrent tokens with unknown keys load the keys once, and not again for 30 seconds`() throws
    {
        try Loop.run {
            let provider = Provider()
            let authenticator = provider.authenticator(delay: .milliseconds(20))
            #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor")
            for round in 1...3 {
                provider.advance(31)
                await withTaskGroup(of: String.self) { group in
                    for number in 0..<100 {
                        group.addTask { await authenticator.outcome(self.token("unknown-\(round)-\(number)")) }
                    }
                    for await outcome in group { #expect(outcome == Self.unknown) }
                }
                #expect(provider.count == 1 + round)
                for seconds in [10, 10, 9] {
                    provider.advance(seconds)
                    #expect(await authenticator.outcome(self.token("unknown")) == Self.unknown)
                }
                #expect(provider.count == 1 + round)
            }
        }
    }

    @Test func `a token with a new key loads the keys, and a withdrawn key is rejected afterwards`() throws {
        try Loop.run {
            let provider = Provider()
            let authenticator = provider.authenticator()
            #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor")
            provider.keys.withLock { $0 = [VerificationKey("b")] }
            provider.advance(31)
            // The token is cached, and the withdrawal of its key has not been noticed yet.
            #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor")
            #expect(await authenticator.outcome(self.token("b")) == "jwt:ada editor")
            #expect(await authenticator.outcome(self.token("a")) == Self.unknown)
        }
    }

    @Test func `while the provider is down the previous keys remain in use`() throws {
        try Loop.run {
            let provider = Provider()
            let authenticator = provider.authenticator()
            #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor")
            provider.keys.withLock { $0 = nil }
            for _ in 0..<3 {
                provider.advance(31)
                #expect(await authenticator.outcome(self.token("b")) == Self.unknown)
                #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor")
            }
            #expect(provider.count == 4)
        }
    }

    @Test func `requests are answered with 503 until keys have been loaded`() throws {
        try Loop.run {
            let provider = Provider()
            provider.keys.withLock { $0 = nil }
            let authenticator = provider.authenticator()
            for _ in 0..<3 { #expect(await authenticator.outcome(self.token("a")).hasPrefix("503 ")) }
            #expect(provider.count == 1)
            provider.keys.withLock { $0 = [VerificationKey("a")] }
            provider.advance(31)
            #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor")
        }
    }

    @Test func `cancelling a request does not cancel a load that others wait for`() throws {
        try Loop.run {
            let provider = Provider()
            let authenticator = provider.authenticator(delay: .milliseconds(30))
            let loop = try #require(Loop.current)
            let first = Task(executorPreference: loop) { await authenticator.outcome(self.token("a")) }
            let second = Task(executorPreference: loop) { await authenticator.outcome(self.token("a")) }
            try await Loop.current?.sleep(for: .milliseconds(5))
            first.cancel()
            #expect(await second.value == "jwt:ada editor")
            #expect(provider.count == 1)
        }
    }

    @Test func `a request that comes after the only waiting one was cancelled waits for the load`() throws {
        try Loop.run {
            let provider = Provider()
            let authenticator = provider.authenticator(delay: .milliseconds(30))
            let loop = try #require(Loop.current)
            let first = Task(executorPreference: loop) { await authenticator.outcome(self.token("a")) }
            try await loop.sleep(for: .milliseconds(5))
            first.cancel()
            try await loop.sleep(for: .milliseconds(5))
            #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor")
            #expect(provider.count == 1)
        }
    }

    @Test func `a cached token expires`() throws {
        try Loop.run {
            let time = Mutex(Token.now)
            let authenticator = JWTAuthenticator(
                Token.provider, keys: Provider().store(), time: { time.withLock { $0 } })
            for _ in 0..<2 { #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor") }
            time.withLock { $0 = 1_800_000_159.9 }
            #expect(await authenticator.outcome(self.token("a")) == "jwt:ada editor")
            time.withLock { $0 = 1_800_000_160 }
            #expect(await authenticator.outcome(self.token("a")) == "401 The token has expired.")
        }
    }

    @Test func `the size of the token cache is limited`() {
        var cache = TokenCache()
        let principal = Principal(name: "jwt:ada", role: .editor)
        for number in 0..<3000 {
            let token = "\(number)" + String(repeating: "x", count: 7900)
            cache.store(token, principal, until: 10)
            #expect(cache.bytes <= TokenCache.limit)
            #expect(cache.find(token, at: 9) == principal && cache.find(token, at: 10) == nil)
        }
    }

    @Test func `a key set is not empty, and its keys are unique by kid and algorithm`() {
        #expect(throws: KeySetError("the JWK Set has no usable key")) { try KeySet([]) }
        #expect(throws: KeySetError("two keys have the kid a")) {
            try KeySet([VerificationKey("a"), VerificationKey("a")])
        }
        #expect(throws: Never.self) { try KeySet([VerificationKey("a"), VerificationKey("a", .rs256)]) }
    }
}
