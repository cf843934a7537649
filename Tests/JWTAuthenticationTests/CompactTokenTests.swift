import Testing
import Web

@testable import JWTAuthentication

@Suite struct CompactTokenTests {
    private func problem(_ text: String) -> String? {
        do throws(HTTPError) {
            _ = try CompactToken(text)
            return nil
        } catch { return error.message }
    }

    private func problem(header: String) -> String? { problem(Token(header: header).text) }

    @Test func `a token is parsed`() throws {
        let token = try CompactToken(Token().text)
        #expect(token.key == KeyIdentifier(id: "a", algorithm: .es256))
        #expect(token.signature == [1] && token.signed == Array(Token().signed.utf8))
        #expect(token.claims["sub"] == "ada")
    }

    @Test(arguments: [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "PS384", "PS512",
        "ES384",
        "ES512", "ES256K", "es256", "RS256 ", "RSA-OAEP", "dir",
    ]) func `an unsupported algorithm is rejected`(algorithm: String) {
        #expect(
            problem(header: #"{"alg":"\#(algorithm)","kid":"a"}"#)
                == "The token's alg must be one of RS256, ES256, EdDSA.")
    }

    @Test(arguments: [#"{"kid":"a"}"#, #"{"alg":null,"kid":"a"}"#, #"{"alg":["ES256"],"kid":"a"}"#])
    func `the algorithm is required`(header: String) {
        #expect(problem(header: header) == "The token's alg must be one of RS256, ES256, EdDSA.")
    }

    @Test(arguments: [#"{"alg":"ES256"}"#, #"{"alg":"ES256","kid":""}"#, #"{"alg":"ES256","kid":7}"#])
    func `the kid is required`(header: String) { #expect(problem(header: header) == "The token's header needs a kid.") }

    @Test(arguments: [#"["exp"]"#, "[]", "null", #"["b64"]"#]) func `crit is rejected, whatever it lists`(value: String)
    {
        #expect(
            problem(header: #"{"alg":"ES256","kid":"a","b64":false,"crit":\#(value)}"#)
                == "The token's header has crit, which is not supported.")
    }

    @Test(arguments: [
        ("JWT", true), ("jwt", true), ("at+jwt", true), ("application/at+jwt", true), ("logout+jwt", false),
        ("dpop+jwt", false), ("", false),
    ])
    func `a token for another purpose is rejected`(type: String, isAccepted: Bool) {
        let header = #"{"alg":"ES256","kid":"a","typ":"\#(type)"}"#
        #expect(problem(header: header) == (isAccepted ? nil : "The token's typ must be JWT or at+jwt."))
    }

    @Test func `keys in the header, or referenced by it, are ignored`() throws {
        let header = #"""
            {"alg":"ES256","kid":"a","jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/","x5c":["MIIB"],\#
            "jwk":{"kty":"oct","k":"AQ"}}
            """#
        #expect(try CompactToken(Token(header: header).text).key == KeyIdentifier(id: "a", algorithm: .es256))
    }

    @Test func `a token without three parts is rejected`() {
        let token = Token()
        let whole = token.text
        for end in 0..<token.signed.utf8.count { #expect(problem(String(whole.prefix(end))) != nil) }
        for text in [
            "", ".", "..", "a.b", "\(whole).", ".\(whole)", "\(whole)=", " \(whole)", "\(whole)\n", "\(token.signed).*",
        ] {
            #expect(problem(text)?.hasPrefix("The token is not a signed JWT") == true, "\(text)")
        }
        #expect(problem("a.b.c.d.e")?.hasPrefix("The token is encrypted") == true)
    }

    @Test func `a part that is not a JSON object is rejected`() {
        for json in ["", "[]", "7", "{", #"{"alg":"ES256","kid":"a"} {}"#, "null", "{\"a\":\"\u{0}\"}"] {
            #expect(problem(header: json)?.hasPrefix("The token is not a signed JWT") == true, "\(json)")
            #expect(problem(Token(claims: json).text)?.hasPrefix("The token is not a signed JWT") == true, "\(json)")
        }
    }

    @Test func `a duplicate member name is rejected`() {
        #expect(
            problem(header: #"{"alg":"ES256","kid":"a","alg":"ES256"}"#) == "The token has a duplicate member name.")
        #expect(problem(Token(claims: #"{"sub":"a","s\u0075b":"b"}"#).text) == "The token has a duplicate member name.")
    }

    @Test func `a token may have at most 8,000 bytes`() {
        let small = Token(claims: Token.claims(["x": "\"\(String(repeating: "x", count: 5700))\""])).text
        #expect(small.utf8.count < 8000 && problem(small) == nil)
        let large = Token(claims: Token.claims(["x": "\"\(String(repeating: "x", count: 6000))\""])).text
        #expect(problem(large) == "The token has more than 8000 bytes.")
        #expect(problem(String(repeating: "x", count: 10 << 20)) == "The token has more than 8000 bytes.")
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(problem(Token(claims: #"{"x":\#(deep)}"#).text)?.hasPrefix("The token is not a signed JWT") == true)
    }
}
