import Authentication
import EventLoop
import Glibc
import HTTPTypes
import Web

/// Authenticates clients by tokens of an identity provider: JSON Web Tokens (RFC 7519), as RFC 8725 wants them checked.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
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

    /// - Throws: 401; 403 when the token has no role; 503 while there are no keys.
    public func authenticate(_ request: Request) async throws -> Principal {
        let text = try request.bearerToken(credentials)
        if let principal = cache.find(text, at: time()) { return principal }
        let token = try CompactToken(text)
        guard let key = try await keys.key(token.key) else { throw missing(token.key) }
        guard key.verifies(token.signature, token.signed) else {
            throw HTTPError.invalidToken("The token's signature is wrong.")
        }
        let claims = try provider.check(token.claims, at: time())
        guard let role = claims.role else { throw lackingRole }
        let principal = Principal(name: claims.name, role: role)
        cache.store(text, principal, until: claims.end)
        return principal
    }

    private func missing(_ key: KeyName) -> HTTPError {
        if keys.isReady {
            return .invalidToken("The provider has no key for \(key.algorithm.rawValue) with the token's kid.")
        }
        return HTTPError(
            .serviceUnavailable, "Tokens cannot be checked now: the identity provider's keys are not there.",
            headers: [.retryAfter: "\(KeyStore.pause.components.seconds)"])
    }

    private var lackingRole: HTTPError {
        HTTPError(
            .forbidden, "The token has none of the roles reader, editor, admin in \(provider.rolesClaim).",
            headers: [.wwwAuthenticate: HTTPError.challenge(.insufficientScope)])
    }

    /// The system's time, in seconds since 1970.
    static let systemTime: @Sendable () -> Double = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

#if JWT
    extension JWTAuthenticator {
        /// Makes one that loads the provider's keys now and again, on the loop that the caller runs on.
        public convenience init(_ provider: IdentityProvider) {
            let keys = KeyStore { try await KeySet(jwks: provider.keys.load()) }
            self.init(provider, keys: keys)
            keys.keepFresh()
        }
    }
#endif
