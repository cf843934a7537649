import Authentication
import Testing

@testable import AktifyAPI

/// The configuration of `AUTH=jwt`.
@Suite struct IdentityProviderTests {
    private static let valid = [
        "AUTH": "jwt", "JWT_JWKS_URL": "https://id.example.org/jwks.json", "JWT_ISSUER": "https://id.example.org/",
        "JWT_AUDIENCE": "api",
    ]

    private func problem(_ changes: [String: String]) -> String? {
        do {
            let environment = Self.valid.merging(changes) { $1 }
            _ = try Config(environment: environment, readFile: { $0 == "/etc/jwks.json" ? "{}" : nil })
            return nil
        } catch { return "\(error)" }
    }

    @Test func `other authentication methods ignore its variables`() {
        #expect(problem(["AUTH": "keys", "JWT_JWKS_URL": "nonsense"]) == nil)
        #expect(problem(["AUTH": "tokens"]) == "AUTH: expected one of off, keys, jwt, not \"tokens\"")
    }

    #if JWT
        @Test func `the variables configure the identity provider`() throws {
            let config = try Config(
                environment: Self.valid.merging(["https_proxy": "http://p", "PGPASSWORD": "s"]) { $1 },
                readFile: { _ in nil })
            let keys = IdentityProvider.Keys.url(
                "https://id.example.org/jwks.json", environment: ["https_proxy": "http://p"])
            #expect(
                config.identityProvider
                    == IdentityProvider(keys: keys, issuer: "https://id.example.org/", audience: "api"))
        }

        @Test(arguments: [
            "https://id.example.org", "https://id.example.org:8443/a/b?c=d", "https://[2001:db8::1]/jwks",
            "http://localhost:8080/jwks",
            "http://127.0.0.1/jwks", "http://[::1]:1/",
        ]) func `keys may be fetched with HTTPS, or with HTTP from this host`(url: String) {
            #expect(problem(["JWT_JWKS_URL": url]) == nil)
        }

        @Test(arguments: [
            "http://id.example.org/", "ftp://id.example.org/", "file:///etc/passwd", "id.example.org", "https://",
            "https:///jwks",
            "https://user:password@id.example.org/", "http://localhost@id.example.org/",
            "http://localhost.example.org/",
            "http://127.0.0.1.example.org/", "https://id.example.org/ x", "https://id.example.org/\n",
            "HTTPS://id.example.org/",
            "-o/etc/passwd", "https://id.example.org#x", "https://id.example.org\\@x/",
        ]) func `another URL is rejected, and not repeated in the error`(url: String) {
            #expect(
                problem(["JWT_JWKS_URL": url])
                    == "JWT_JWKS_URL: expected a URL like https://id.example.org/jwks.json")
        }

        @Test(arguments: [
            (["JWT_JWKS_URL": ""], "JWT_JWKS_URL: or JWT_JWKS_FILE is required with AUTH=jwt"),
            (["JWT_JWKS_FILE": "/etc/jwks.json"], "JWT_JWKS_URL: is set, and so is JWT_JWKS_FILE: unset one of them"),
            (
                ["JWT_JWKS_URL": "", "JWT_JWKS_FILE": "/none"],
                "JWT_JWKS_FILE: expected the absolute path of a readable file, not \"/none\""
            ),
            (["JWT_ISSUER": ""], "JWT_ISSUER: is required with AUTH=jwt"),
            (["JWT_AUDIENCE": ""], "JWT_AUDIENCE: is required with AUTH=jwt"),
            (["JWT_CLOCK_SKEW_S": "301"], "JWT_CLOCK_SKEW_S: expected a whole number from 0 to 300, not \"301\""),
            (
                ["JWT_ROLES_CLAIM": "a..b"],
                "JWT_ROLES_CLAIM: expected the name of a claim, or a path like realm_access.roles, not \"a..b\""
            ),
        ]) func `a missing or invalid variable is reported in one line`(changes: [String: String], message: String) {
            #expect(problem(changes) == message)
        }

        @Test func `keys may be in a file`() {
            #expect(problem(["JWT_JWKS_URL": "", "JWT_JWKS_FILE": "/etc/jwks.json"]) == nil)
        }
    #else
        @Test func `a program without JWT support refuses to start, and explains how to add it`() {
            #expect(
                problem([:])
                    == "AUTH: this program was built without support for jwt: build it with TRAITS=JWT scripts/build")
        }
    #endif
}
