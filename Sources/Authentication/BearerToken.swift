import HTTPTypes
import Web

extension Request {
    /// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
    /// - Throws: 401 when there is none.
    package func bearerToken(_ credentials: Credentials) throws(HTTPError) -> String {
        let values = headers.values(of: .authorization)
        guard let value = values.first else {
            throw .unauthenticated("Authenticate: send Authorization: Bearer, and your \(credentials.rawValue).")
        }
        // The scheme is not case-sensitive (RFC 9110, section 11.1).
        guard values.count == 1, value.utf8.count > 7, value.prefix(7).lowercased() == "bearer " else {
            throw .unauthenticated("Authorization must have the scheme Bearer, and one \(credentials.rawValue).")
        }
        return String(value.dropFirst(7))
    }
}

extension HTTPError {
    /// Error codes of `WWW-Authenticate` (RFC 6750, section 3.1).
    package enum BearerError: String {
        case invalidToken = "invalid_token"
        case insufficientScope = "insufficient_scope"
    }

    /// 401, with a challenge (RFC 6750, section 3).
    package static func unauthenticated(_ message: String, _ error: BearerError? = nil) -> HTTPError {
        HTTPError(.unauthorized, message, headers: [.wwwAuthenticate: challenge(error)])
    }

    /// 403: the client is known, and may not do this.
    static func insufficientRole(_ role: Role, for access: Access) -> HTTPError {
        guard case .role(let needed) = access else { return HTTPError(.forbidden, "Nobody may do this.") }
        return HTTPError(
            .forbidden, "This needs the role \(needed.rawValue); yours is \(role.rawValue).",
            headers: [.wwwAuthenticate: challenge(.insufficientScope) + ", scope=\"\(needed.rawValue)\""])
    }

    package static func challenge(_ error: BearerError?) -> String {
        "Bearer realm=\"aktify\"" + (error.map { ", error=\"\($0.rawValue)\"" } ?? "")
    }
}
