import HTTPTypes
import Web

extension Request {
    /// Returns the token in `Authorization: Bearer` (RFC 6750, section 2.1).
    /// - Throws: 401 when the request has no bearer token.
    package func bearerToken(_ credentials: Credentials) throws(HTTPError) -> String {
        try authorization(credentials).bearerToken(credentials)
    }

    /// Returns the value of the header field `Authorization`.
    /// - Throws: 401 when the request has no such field, or more than one.
    func authorization(_ credentials: Credentials) throws(HTTPError) -> String {
        let values = headers.values(of: .authorization)
        guard let value = values.first else {
            throw .unauthenticated("Authenticate: send Authorization: Bearer, and your \(credentials.rawValue).")
        }
        guard values.count == 1 else { throw .notBearer(credentials) }
        return value
    }
}

extension String {
    /// Returns the token in this string, which is a value of `Authorization`. The scheme is case-insensitive (RFC 9110,
    /// section 11.1).
    /// - Throws: 401 when the scheme is not `Bearer`.
    func bearerToken(_ credentials: Credentials) throws(HTTPError) -> String {
        guard utf8.count > 7, prefix(7).lowercased() == "bearer " else { throw .notBearer(credentials) }
        return String(dropFirst(7))
    }
}

extension HTTPError {
    fileprivate static func notBearer(_ credentials: Credentials) -> HTTPError {
        .unauthenticated("Authorization must have the scheme Bearer, and one \(credentials.rawValue).")
    }

    /// An error code in `WWW-Authenticate` (RFC 6750, section 3.1).
    package enum BearerError: String {
        case invalidToken = "invalid_token"
        case insufficientScope = "insufficient_scope"
    }

    /// Creates a 401 response with an authentication challenge (RFC 6750, section 3).
    package static func unauthenticated(_ message: String, _ error: BearerError? = nil) -> HTTPError {
        HTTPError(.unauthorized, message, headers: [.wwwAuthenticate: challenge(error)])
    }

    /// Creates a 403 response for a client that is authenticated, but lacks the required role.
    static func insufficientRole(_ role: Role, for access: Access) -> HTTPError {
        guard case .role(let needed) = access else { return HTTPError(.forbidden, "Forbidden.") }
        return HTTPError(
            .forbidden, "This needs the role \(needed.rawValue); yours is \(role.rawValue).",
            headers: [.wwwAuthenticate: challenge(.insufficientScope) + ", scope=\"\(needed.rawValue)\""])
    }

    /// Returns the value of `WWW-Authenticate`: a challenge with an optional error code.
    package static func challenge(_ error: BearerError?) -> String {
        "Bearer realm=\"aktify\"" + (error.map { ", error=\"\($0.rawValue)\"" } ?? "")
    }
}
