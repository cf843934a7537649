import EventLoop
import HTTPTypes
import Logging
import Web

/// Authenticates clients by API keys.
///
/// Sound as `@unchecked Sendable`: it is touched on its loop's thread only.
public final class KeyAuthenticator: Authenticator, @unchecked Sendable {
    private let find: @Sendable (APIKey) async throws -> KnownKey?
    private let noteUse: @Sendable (Int64) async throws -> Void
    private let now: @Sendable () -> Instant
    private let log = Logger(label: "aktify.authentication")
    private var cache = KeyCache()

    public let credentials = Credentials.key

    /// Makes one that takes the keys of a database.
    public convenience init(_ keys: APIKeys) {
        self.init(find: { try await keys.find($0) }, noteUse: { try await keys.noteUse(of: $0) })
    }

    /// Makes one of functions that look a key up and write its use down.
    init(
        find: @escaping @Sendable (APIKey) async throws -> KnownKey?,
        noteUse: @escaping @Sendable (Int64) async throws -> Void, now: @escaping @Sendable () -> Instant = { .now }
    ) {
        (self.find, self.noteUse, self.now) = (find, noteUse, now)
    }

    /// - Throws: 401, and what the lookup throws.
    public func authenticate(_ request: Request) async throws -> Principal {
        var authorization = try request.authorization(credentials)
        // Two strings are equal by Unicode's rules: U+212A stands for a K, and is in no key.
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
                "This is no key of this API: a character is wrong or missing.", .invalidToken)
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
        if known.isUseDue {
            Task.detached(executorPreference: Loop.current) { await self.use(known.id) }
        }
        return known.principal
    }

    private func refresh(_ authorization: String) async {
        do { _ = try await lookUp(authorization) } catch is HTTPError {
            // The next request says so.
        } catch {
            cache.failed(authorization)
            log.warning("a key could not be looked up: \(error)")
        }
    }

    private func use(_ id: Int64) async {
        do { try await noteUse(id) } catch { log.warning("the use of key \(id) could not be written down: \(error)") }
    }
}

extension KnownKey {
    fileprivate var valid: Principal? { state == .valid ? principal : nil }
}
