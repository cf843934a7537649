import Web

/// Finds out who sends a request.
public protocol Authenticator: Sendable {
    /// - Throws: 401 when the request does not say so, or not credibly.
    func authenticate(_ request: Request) async throws -> Principal

    /// What clients send, for the documentation.
    var credentials: Credentials { get }
}

/// Lets only those use a route who may: the one place where that is decided.
public func authorize(_ authenticator: some Authenticator) -> Application.Authorizer {
    { request, access in
        let principal = try await authenticator.authenticate(request)
        guard access.allows(principal.role) else { throw HTTPError.insufficientRole(principal.role, for: access) }
        return principal
    }
}
