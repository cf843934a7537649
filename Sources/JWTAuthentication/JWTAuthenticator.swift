import Authentication
import EventLoop
import Glibc
import HTTPTypes
import Web

/// Authenticates clients by JSON Web Tokens of an identity provider (RFC 7519), which are verified as RFC 8725
/// recommends.
///
/// The conformance to `@unchecked Sendable` is sound: an authenticator is accessed only on the thread of its event
/// loop.
public final class JWTAuthenticator: Authenticator, @unchecked Sendable {
    private let provider: IdentityProvider
    private let keys: KeyStore
    private let time: @Sendable () -> Double
    private var cache = TokenCache()

    public let credentials = Credentials.token

    init(
        _ provider: IdentityProvider, keys: KeyStore,
        time: @escaping @Sendable () -> Double = JWTAuthenticator.systemTime
    ) {
        (self.provider, self.keys, self.time) = (provider, keys, time)
        keys.onChange = { [weak self] in self?.cache.removeAll() }
    }

    /// Returns the principal of the token in the request.
    /// - Throws: 401 when the token is missing or invalid, 403 when the token contains no role, 503 until the
    ///   provider's keys have been loaded.
    public func authenticate(_ request: Request) async throws -> Principal {
        let text = try request.bearerToken(credentials)
        if let principal = cache.find(text, at: time()) { return principal }
        let token = try CompactToken(text)
        guard let key = await keys.key(token.key) else { throw unknownKey(token.key) }
        guard key.verifies(token.signature, token.signed) else {
            throw HTTPError.invalidToken("The signature of the token is not valid.")
        }
        let claims = try provider.check(token.claims, at: time())
        guard let role = claims.role else { throw missingRole }
        let principal = Principal(name: claims.name, role: role)
        cache.store(text, principal, until: claims.end)
        return principal
    }

    /// Returns the error for a token whose key is unknown: 401, or 503 when no keys have been loaded yet.
    private func unknownKey(_ key: KeyIdentifier) -> HTTPError {
        if keys.isReady {
            return .invalidToken(
                "The identity provider has no \(key.algorithm.rawValue) key with the kid of the token.")
        }
        return HTTPError(
            .serviceUnavailable,
            "Tokens cannot be verified: the keys of the identity provider have not been loaded yet.",
            headers: [.retryAfter: "\(KeyStore.minimumInterval.components.seconds)"])
    }

    private var missingRole: HTTPError {
        HTTPError(
            .forbidden, "The token has none of the roles reader, editor, admin in \(provider.rolesClaim).",
            headers: [.wwwAuthenticate: HTTPError.challenge(.insufficientScope)])
    }

    /// Returns the system time, in seconds since 1970.
    static let systemTime: @Sendable () -> Double = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

#if JWT
    extension JWTAuthenticator {
        /// Creates an authenticator that periodically loads the provider's keys on the event loop that the caller runs
        /// on.
        public convenience init(_ provider: IdentityProvider) {
            let keys = KeyStore { try await KeySet(jwks: provider.keys.load()) }
            self.init(provider, keys: keys)
            keys.startRefreshing()
        }
    }
#endif
