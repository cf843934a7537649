import Authentication
import Testing
import Web

@testable import JWTAuthentication

@Suite struct ClaimsTests {
    private func check(
        _ changes: [String: String?], _ provider: IdentityProvider = Token.provider, at now: Double = Token.now
    ) -> String {
        guard case .object(let claims)? = try? JSON(parsing: Array(Token.claims(changes).utf8)) else {
            return "no JSON"
        }
        do throws(HTTPError) {
            let claims = try provider.check(claims, at: now)
            return "\(claims.name) \(claims.role?.rawValue ?? "none")"
        } catch { return "\(error.status.code) \(error.message)" }
    }

    @Test func `a token of the provider for this API is accepted`() { #expect(check([:]) == "jwt:ada editor") }

    @Test(arguments: [
        #""https://id.example.org""#, #""https://ID.example.org/""#, #"["https://id.example.org/"]"#, "null", nil,
        #""https://id.example.org/\u0000""#,
    ]) func `another issuer is rejected`(issuer: String?) {
        #expect(check(["iss": issuer]).hasPrefix("401 The token has another issuer"))
    }

    @Test(arguments: [
        (#""https://api.example.org""#, true), (#"["a","https://api.example.org"]"#, true), (#"["a","b"]"#, false),
        (#"[]"#, false), (#""https://api.example.org/""#, false), (#""a https://api.example.org""#, false),
        (#"{"https://api.example.org":1}"#, false), ("null", false), (nil, false),
        (#"[["https://api.example.org"]]"#, false),
    ]) func `the audience must be, or contain, this API`(audience: String?, isAccepted: Bool) {
        #expect(check(["aud": audience]).hasPrefix(isAccepted ? "jwt:ada" : "401 The token has another audience"))
    }

    @Test(arguments: [
        ("1800000000", true), ("1799999940.5", true), ("1799999941", true), ("1799999940", false), ("1.7e9", false),
        ("0", false),
    ]) func `a token expires at exp plus the clock skew`(expiry: String, isAccepted: Bool) {
        #expect(check(["exp": expiry]) == (isAccepted ? "jwt:ada editor" : "401 The token has expired."))
    }

    @Test(arguments: [
        ("1799999999", true), ("1800000060", true), ("1800000060.5", false), ("1800000061", false), ("9e11", false),
    ]) func `a token is valid from nbf minus the clock skew`(start: String, isAccepted: Bool) {
        #expect(check(["nbf": start]) == (isAccepted ? "jwt:ada editor" : "401 The token is not valid yet."))
    }

    @Test func `without clock skew the limits are exact`() {
        var provider = Token.provider
        provider.clockSkew = 0
        #expect(check(["exp": "1800000000"], provider) == "401 The token has expired.")
        #expect(check(["exp": "1800000001", "nbf": "1800000000"], provider) == "jwt:ada editor")
        #expect(check(["nbf": "1800000001"], provider) == "401 The token is not valid yet.")
    }

    @Test(arguments: [#""1800000100""#, "null", "true", "-1", "1e300", "1e999", "[1800000100]"])
    func `times must be numbers in a plausible range`(time: String) {
        #expect(check(["exp": time]) == "401 The token's exp must be a number of seconds since 1970.")
        #expect(check(["nbf": time]) == "401 The token's nbf must be a number of seconds since 1970.")
    }

    @Test func `a token without an expiration time is rejected`() {
        #expect(check(["exp": nil]) == "401 The token has no exp: it must have an expiration time.")
    }

    @Test(arguments: [
        nil, #""""#, "7", "null", #""a\nb""#, #""a\u0000""#, #""a\u001b[31m""#, #""\u202eada""#, #""a\u2028b""#,
        #""a\ud800""#, "\"\(String(repeating: "x", count: 256))\"", #"" ""#, #""\u00a0\u3000""#, #""\u3164""#,
        #""\u2800 ""#,
    ]) func `a subject that is missing, too long or not printable is rejected`(subject: String?) {
        #expect(check(["sub": subject]).hasPrefix("401 The token needs a sub"))
    }

    @Test(arguments: [#"auth0|5f7c"#, "Åsa Ek", "\u{2800}7", String(repeating: "x", count: 255)])
    func `the subject is the name of the client`(subject: String) {
        #expect(check(["sub": "\"\(subject)\""]) == "jwt:\(subject) editor")
    }

    @Test(arguments: [
        (#""reader""#, "reader"), (#""openid admin reader""#, "admin"), (#"["reader","editor"]"#, "editor"),
        (#"["admin"]"#, "admin"), (#"["Admin","ADMIN","admins"," admin"]"#, "none"),
        (#"[1,null,["admin"],"reader"]"#, "reader"),
        (#"["reader admin"]"#, "none"), (#"{"admin":true}"#, "none"), ("true", "none"), ("null", "none"), (nil, "none"),
        (#""""#, "none"), ("[]", "none"),
    ]) func `the highest role of an array or a space-separated list counts`(value: String?, role: String) {
        #expect(check(["roles": value]) == "jwt:ada \(role)")
    }

    @Test(arguments: [
        ("scope", #""scope":"openid editor""#), ("realm_access.roles", #""realm_access":{"roles":["editor"]}"#),
        ("resource_access.api.roles", #""resource_access":{"api":{"roles":["editor","x"]}}"#),
        ("https://example.org/roles", #""https://example.org/roles":["editor"]"#),
    ]) func `the roles claim may have another name, or be nested`(claim: String, json: String) throws {
        var provider = Token.provider
        provider.rolesClaim = claim
        let (name, value) = try #require(json.wholeMatch(of: /"([^"]+)":(.*)/).map { (String($0.1), String($0.2)) })
        #expect(check(["roles": nil, name: value], provider) == "jwt:ada editor")
        #expect(check([:], provider) == "jwt:ada none")
        #expect(check(["realm_access": "7", "resource_access": #"{"api":[]}"#], provider) == "jwt:ada none")
    }

    @Test func `a duplicate member name on the path of the roles claim is rejected`() {
        var provider = Token.provider
        provider.rolesClaim = "realm_access.roles"
        let twice = #"{"roles":["admin"],"roles":["reader"]}"#
        #expect(check(["realm_access": twice], provider) == "401 The token has a duplicate member name.")
    }
}
