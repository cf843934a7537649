import EventLoop
import HTTPTypes
import Logging
import Web

/// Authenticates clients by API keys.
///
/// The conformance to `@unchecked Sendable` is sound: an authenticator is accessed only on the thread of its event
/// loop.
public final class KeyAuthenticator: Authenticator, @unchecked Sendable {
    private let find: @Sendable (APIKey) async throws -> KnownKey?
    private let recordUse: @Sendable (Int64) async throws -> Void
    private let now: @Sendable () -> Instant
    private let log = Logger(label: "aktify.authentication")
    private var cache = KeyCache()

    public let credentials = Credentials.key

    /// Creates an authenticator for the keys in a database.
    public convenience init(_ keys: APIKeys) {
        self.init(find: { try await keys.find($0) }, recordUse: { try await keys.recordUse(of: $0) })
    }

    /// Creates an authenticator with functions that look up a key and record the use of a key.
    init(
        find: @escaping @Sendable (APIKey) async throws -> KnownKey?,
        recordUse: @escaping @Sendable (Int64) async throws -> Void, now: @escaping @Sendable () -> Instant = { .now }
    ) {
        (self.find, self.recordUse, self.now) = (find, recordUse, now)
    }

    /// Returns the principal of the API key in the request.
    /// - Throws: 401 without a valid API key, and the errors of the lookup.
    public func authenticate(_ request: Request) async throws -> Principal {
        var authorization = try request.authorization(credentials)
        // Strings are compared by canonical equivalence, by which U+212A (KELVIN SIGN) equals K: only ASCII may be
        // looked up in the cache.
        let isASCII = authorization.withUTF8 { $0.allSatisfy { $0 < 0x80 } }
        switch isASCII ? cache.find(authorization, at: now()) : .absent {
        case .fresh(let principal): return principal
        case .stale(let principal):
            Task.detached(executorPreference: Loop.current) { await self.refresh(authorization) }
            return principal
        case .absent: return try await lookUp(authorization)
        }
    }

    private func lookUp(_ authorization: String) async throws -> Principal {
        guard let key = APIKey(try authorization.bearerToken(credentials)) else {
            throw HTTPError.unauthenticated(
                "The key is malformed: a character is wrong or missing.", .invalidToken)
        }
        let sent = now()
        let known = try await find(key)
        cache.store(authorization, known?.valid, sent: sent, at: now())
        guard let known else { throw HTTPError.unauthenticated("The key is not known.", .invalidToken) }
        switch known.state {
        case .valid: break
        case .revoked: throw HTTPError.unauthenticated("The key was revoked.", .invalidToken)
        case .expired: throw HTTPError.unauthenticated("The key has expired.", .invalidToken)
        }
        if known.shouldRecordUse {
            Task.detached(executorPreference: Loop.current) { await self.recordUseLoggingErrors(known.id) }
        }
        return known.principal
    }

    private func refresh(_ authorization: String) async {
        do { _ = try await lookUp(authorization) } catch is HTTPError {
            // The key is no longer valid: the next request is rejected.
        } catch {
            cache.lookupFailed(authorization)
            log.warning("cannot look up an API key: \(error)")
        }
    }

    private func recordUseLoggingErrors(_ id: Int64) async {
        do { try await recordUse(id) } catch { log.warning("cannot record the use of API key \(id): \(error)") }
    }
}

extension KnownKey {
    fileprivate var valid: Principal? { state == .valid ? principal : nil }
}
