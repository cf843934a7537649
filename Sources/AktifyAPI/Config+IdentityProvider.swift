import Authentication

/// Whether this program was built with the package trait `JWT`.
#if JWT
    let hasJWT = true
#else
    let hasJWT = false
#endif

extension Config {
    /// Reads the configuration of the identity provider whose tokens are accepted.
    static func identityProvider(_ read: EnvironmentReader) throws(ConfigError) -> IdentityProvider {
        guard hasJWT else {
            throw ConfigError(
                "AUTH", "this program was built without support for jwt: build it with TRAITS=JWT scripts/build")
        }
        return IdentityProvider(
            keys: try keys(read), issuer: try required(read, "JWT_ISSUER"),
            audience: try required(read, "JWT_AUDIENCE"),
            rolesClaim: try rolesClaim(read), clockSkew: try read.integer("JWT_CLOCK_SKEW_S", default: 60, in: 0...300))
    }

    private static func keys(_ read: EnvironmentReader) throws(ConfigError) -> IdentityProvider.Keys {
        let (url, file) = (read.text("JWT_JWKS_URL", default: ""), read.text("JWT_JWKS_FILE", default: ""))
        switch (url.isEmpty, file.isEmpty) {
        case (true, true): throw ConfigError("JWT_JWKS_URL", "or JWT_JWKS_FILE is required with AUTH=jwt")
        case (false, false): throw ConfigError("JWT_JWKS_URL", "is set, and so is JWT_JWKS_FILE: unset one of them")
        case (true, false):
            guard file.hasPrefix("/"), read.readFile(file) != nil else {
                throw ConfigError(
                    "JWT_JWKS_FILE", is: file, expected: "the absolute path of a readable file")
            }
            return .file(file)
        case (false, true):
            guard isAllowed(url) else {
                throw ConfigError("JWT_JWKS_URL", "expected a URL like https://id.example.org/jwks.json")
            }
            return .url(url, environment: read.variables.filter { forwarded.contains($0.key) && !$0.value.isEmpty })
        }
    }

    /// Whether keys may be fetched from a URL: with HTTPS from any host, with HTTP only from this machine. The URL must
    /// not contain a user name or password.
    private static func isAllowed(_ url: String) -> Bool {
        url.utf8.count <= 2000
            && (url.contains(/^https:\/\/([a-zA-Z0-9._-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?([\/?][!-~]*)?$/)
                || url.contains(/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?([\/?][!-~]*)?$/))
    }

    /// The names of the environment variables that are passed to curl, which fetches the keys.
    private static let forwarded: Set = [
        "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
    ]

    private static func required(_ read: EnvironmentReader, _ name: String) throws(ConfigError) -> String {
        let text = read.text(name, default: "")
        guard !text.isEmpty else { throw ConfigError(name, "is required with AUTH=jwt") }
        return text
    }

    private static func rolesClaim(_ read: EnvironmentReader) throws(ConfigError) -> String {
        let text = read.text("JWT_ROLES_CLAIM", default: "roles")
        guard text.utf8.count <= 200, !text.split(separator: ".", omittingEmptySubsequences: false).contains("") else {
            throw ConfigError(
                "JWT_ROLES_CLAIM", is: text, expected: "the name of a claim, or a path like realm_access.roles")
        }
        return text
    }
}
