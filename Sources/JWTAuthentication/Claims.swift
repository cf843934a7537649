import Authentication
import Web

/// The result of validating a token's claims: who the client is, and how long the token is valid.
struct Claims: Equatable {
    /// The name of the principal: `jwt:` and the subject of the token.
    let name: String
    /// The highest role in the token; `nil` when the token contains no role.
    let role: Role?
    /// The end of the token's validity in seconds since 1970: the expiration time plus the tolerated clock skew.
    let end: Double
}

extension IdentityProvider {
    /// Validates the claims of a token whose signature has been verified (RFC 7519, section 4.1).
    /// - Parameters:
    ///   - claims: the claims of the token.
    ///   - now: the current time, in seconds since 1970.
    /// - Throws: 401, with the reason why a claim is not accepted.
    func check(_ claims: JSON.Members, at now: Double) throws(HTTPError) -> Claims {
        guard case .string(let from) = claims["iss"], from.hasSameBytes(as: issuer) else {
            throw .invalidToken("The token has another issuer: iss is not the one that this API accepts.")
        }
        guard matchesAudience(claims["aud"]) else {
            throw .invalidToken("The token has another audience: aud does not contain this API.")
        }
        guard let expiry = try time("exp", claims) else {
            throw .invalidToken("The token has no exp: it must have an expiration time.")
        }
        let end = expiry + Double(clockSkew)
        guard now < end else { throw .invalidToken("The token has expired.") }
        if let start = try time("nbf", claims), now < start - Double(clockSkew) {
            throw .invalidToken("The token is not valid yet.")
        }
        guard case .string(let subject) = claims["sub"], subject.isSafeName else {
            throw .invalidToken("The token needs a sub of 1 to 255 bytes, not blank and without control characters.")
        }
        return Claims(
            name: "jwt:\(subject)", role: try roles(in: claims).compactMap(Role.init(rawValue:)).max(), end: end)
    }

    /// Whether the value of the claim `aud` is, or contains, the audience of this API.
    private func matchesAudience(_ value: JSON?) -> Bool {
        switch value {
        case .string(let name): name.hasSameBytes(as: audience)
        case .array(let names):
            names.contains { if case .string(let name) = $0 { name.hasSameBytes(as: audience) } else { false } }
        default: false
        }
    }

    /// Returns the time in a claim, in seconds since 1970; `nil` when the token has no such claim.
    private func time(_ name: String, _ claims: JSON.Members) throws(HTTPError) -> Double? {
        guard let value = claims[name] else { return nil }
        guard case .number(let text) = value, let seconds = Double(text), (0...1e12).contains(seconds) else {
            throw .invalidToken("The token's \(name) must be a number of seconds since 1970.")
        }
        return seconds
    }

    /// Returns the names of the roles in the token: the elements of an array, or of a space-separated list like
    /// `scope`.
    private func roles(in claims: JSON.Members) throws(HTTPError) -> [String] {
        switch try value(in: claims) {
        case .string(let text): return text.split(separator: " ").map(String.init)
        case .array(let values): return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
        default: return []
        }
    }

    /// Returns the value of the roles claim: the claim whose name is exactly the configured one, which may contain dots
    /// (`https://example.org/roles`), or else the nested claim at the configured path.
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
    /// Whether the text is safe as a name in records and logs: 1 to 255 bytes, at least one visible character, and no
    /// control characters, line and paragraph separators, and format characters (such as those that change the
    /// direction of text).
    fileprivate var isSafeName: Bool {
        (1...255).contains(utf8.count)
            && unicodeScalars.contains {
                // U+2800 is the Braille pattern without dots.
                !$0.properties.isWhitespace && !$0.properties.isDefaultIgnorableCodePoint && $0 != "\u{2800}"
            }
            && unicodeScalars.allSatisfy {
                switch $0.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }
    }
}
