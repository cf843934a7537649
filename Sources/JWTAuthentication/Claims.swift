import Authentication
import Web

/// What the claims of a token say that is taken.
struct Claims: Equatable {
    /// `jwt:`, and the token's subject.
    let name: String
    /// The highest role among the token's.
    let role: Role?
    /// When it ends, in seconds since 1970, with the clock's skew.
    let end: Double
}

extension IdentityProvider {
    /// Checks the claims of a token whose signature was verified (RFC 7519, section 4.1).
    /// - Parameter now: the time, in seconds since 1970.
    /// - Throws: 401, with what is wrong.
    func check(_ claims: JSON.Members, at now: Double) throws(HTTPError) -> Claims {
        guard case .string(let from) = claims["iss"], from.hasSameBytes(as: issuer) else {
            throw .invalidToken("The token is another issuer's: iss is not this API's.")
        }
        guard isMeant(claims["aud"]) else {
            throw .invalidToken("The token is for somebody else: aud is not this API.")
        }
        guard let expiry = try time("exp", claims) else { throw .invalidToken("The token has no exp: it must end.") }
        let end = expiry + Double(clockSkew)
        guard now < end else { throw .invalidToken("The token has expired.") }
        if let start = try time("nbf", claims), now < start - Double(clockSkew) {
            throw .invalidToken("The token is not valid yet.")
        }
        guard case .string(let subject) = claims["sub"], subject.isName else {
            throw .invalidToken("The token needs a sub of 1 to 255 bytes, without control characters.")
        }
        return Claims(
            name: "jwt:\(subject)", role: try roles(in: claims).compactMap(Role.init(rawValue:)).max(), end: end)
    }

    private func isMeant(_ value: JSON?) -> Bool {
        switch value {
        case .string(let name): name.hasSameBytes(as: audience)
        case .array(let names):
            names.contains { if case .string(let name) = $0 { name.hasSameBytes(as: audience) } else { false } }
        default: false
        }
    }

    private func time(_ name: String, _ claims: JSON.Members) throws(HTTPError) -> Double? {
        guard let value = claims[name] else { return nil }
        guard case .number(let text) = value, let seconds = Double(text), (0...1e12).contains(seconds) else {
            throw .invalidToken("The token's \(name) must be seconds since 1970.")
        }
        return seconds
    }

    /// The roles: an array of them, or a text with spaces between, as `scope` is.
    private func roles(in claims: JSON.Members) throws(HTTPError) -> [String] {
        switch try value(in: claims) {
        case .string(let text): return text.split(separator: " ").map(String.init)
        case .array(let values): return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
        default: return []
        }
    }

    /// The value of the roles' claim: of one with that name, which may have dots (`https://example.org/roles`), else at that path.
    private func value(in claims: JSON.Members) throws(HTTPError) -> JSON? {
        if let value = claims[rolesClaim] { return value }
        var value = JSON.object(claims)
        for name in rolesClaim.split(separator: ".") {
            guard case .object(let members) = value, let next = members[String(name)] else { return nil }
            guard members.areUnique else { throw .invalidToken(.duplicates) }
            value = next
        }
        return value
    }
}

extension String {
    /// Whether it can name somebody in records and logs: nothing in it is invisible or turns text around.
    fileprivate var isName: Bool {
        (1...255).contains(utf8.count)
            && unicodeScalars.allSatisfy {
                switch $0.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }
    }
}
