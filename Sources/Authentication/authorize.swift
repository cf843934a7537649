import Web

/// Finds out who sends a request.
public protocol Authenticator: Sendable {
    /// - Throws: 401 when the request does not say so, or not credibly.
    func authenticate(_ request: Request) async throws -> Principal

    /// What clients send, for the documentation.
    var credentials: Credentials { get }
}

/// Lets only those use a route who may: the one place where that is decided.
/// - Parameter authenticator: `nil` lets everybody do everything.
public func authorize(_ authenticator: (any Authenticator)?) -> Application.RouteGuard {
    { request, next in
        guard let authenticator, request.access != .open else { return try await next(request) }
        var request = request
        let principal = try await authenticator.authenticate(request)
        guard request.access.allows(principal.role) else {
            throw HTTPError.insufficientRole(principal.role, for: request.access)
        }
        request.principal = principal
        return try await next(request)
    }
}
