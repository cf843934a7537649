import Web

/// Authenticates the clients of requests.
public protocol Authenticator: Sendable {
    /// Returns the authenticated client of a request.
    /// - Throws: 401 when the request has no valid credentials.
    func authenticate(_ request: Request) async throws -> Principal

    /// The kind of credentials that clients send, for the OpenAPI document.
    var credentials: Credentials { get }
}

/// Creates an authorizer from an authenticator. The authorizer is the only place that decides who may use a route.
public func authorize(_ authenticator: some Authenticator) -> Application.Authorizer {
    { request, access in
        let principal = try await authenticator.authenticate(request)
        guard access.allows(principal.role) else { throw HTTPError.insufficientRole(principal.role, for: access) }
        return principal
    }
}
