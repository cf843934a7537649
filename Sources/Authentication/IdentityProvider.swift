/// Who issues the tokens that clients authenticate with, and which of them are taken: `AUTH=jwt`.
public struct IdentityProvider: Hashable, Sendable {
    /// Where its public keys are, as a JWK Set (RFC 7517, section 5).
    public enum Keys: Hashable, Sendable {
        /// To be fetched with the program `curl`, which gets these variables: a proxy, other CA certificates.
        case url(String, environment: [String: String])
        case file(String)
    }

    public var keys: Keys
    /// What `iss` must be.
    public var issuer: String
    /// What `aud` must be, or contain.
    public var audience: String
    /// The claim that has the client's roles: a name, or a path with dots.
    public var rolesClaim: String
    /// How far the provider's clock may differ, in seconds.
    public var clockSkew: Int

    /// Describes one.
    public init(keys: Keys, issuer: String, audience: String, rolesClaim: String = "roles", clockSkew: Int = 60) {
        (self.keys, self.issuer, self.audience) = (keys, issuer, audience)
        (self.rolesClaim, self.clockSkew) = (rolesClaim, clockSkew)
    }

    /// The program that fetches keys.
    public static let curl = "/usr/bin/curl"
}
