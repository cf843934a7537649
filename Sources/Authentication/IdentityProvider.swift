/// The identity provider that issues the clients' tokens, with the requirements that tokens must meet (`AUTH=jwt`).
public struct IdentityProvider: Hashable, Sendable {
    /// The location of a JWK Set with the provider's public keys (RFC 7517, section 5).
    public enum Keys: Hashable, Sendable {
        /// A URL, which is fetched with the program `curl`, and the environment variables of `curl`, such as
        /// `https_proxy` and `SSL_CERT_FILE`.
        case url(String, environment: [String: String])
        /// The path of a file that contains the JWK Set.
        case file(String)
    }

    /// The location of the public keys.
    public var keys: Keys
    /// The required issuer of tokens: the value of the claim `iss`.
    public var issuer: String
    /// The required audience of tokens: the value of the claim `aud`, or one of the elements of that claim.
    public var audience: String
    /// The claim with the client's roles: the name of a claim, or the names on the path to a nested claim,
    /// separated by dots, as in `realm_access.roles`.
    public var rolesClaim: String
    /// The tolerated difference between this machine's clock and the identity provider's, in seconds.
    public var clockSkew: Int

    /// Creates a description of an identity provider.
    public init(keys: Keys, issuer: String, audience: String, rolesClaim: String = "roles", clockSkew: Int = 60) {
        (self.keys, self.issuer, self.audience) = (keys, issuer, audience)
        (self.rolesClaim, self.clockSkew) = (rolesClaim, clockSkew)
    }

    /// The path of the program that fetches keys.
    public static let curl = "/usr/bin/curl"
}
