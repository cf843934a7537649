import Authentication
import HTTPTypes
import Web

@testable import JWTAuthentication

/// A token under construction. Its header and claims are text, so that they may be invalid.
struct Token {
    var header = #"{"alg":"ES256","kid":"a","typ":"JWT"}"#
    var claims = Token.claims()
    var signature: [UInt8] = [1]

    var signed: String { "\(Array(header.utf8).base64URL).\(Array(claims.utf8).base64URL)" }
    var text: String { "\(signed).\(signature.base64URL)" }

    /// The current time in tests, in seconds since 1970.
    static let now = 1_800_000_000.0
    static let provider = IdentityProvider(
        keys: .file("/nowhere"), issuer: "https://id.example.org/", audience: "https://api.example.org")

    /// Valid claims, with some replaced by other values (as JSON), or removed when the value is `nil`.
    static func claims(_ changes: [String: String?] = [:]) -> String {
        var all: [String: String] = [
            "iss": #""https://id.example.org/""#, "aud": #""https://api.example.org""#, "sub": #""ada""#,
            "exp": "1800000100", "roles": #"["editor"]"#,
        ]
        for (name, value) in changes { all[name] = value }
        return "{" + all.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    /// A request with a token.
    static func request(_ text: String) -> Request {
        Request(method: .get, target: "/", headers: [.authorization: "Bearer \(text)"])
    }
}

extension JWTAuthenticator {
    /// The outcome of authenticating with a token: the name and the role, or the status and the message of the error.
    func outcome(_ text: String) async -> String {
        do {
            let principal = try await authenticate(Token.request(text))
            return "\(principal.name) \(principal.role)"
        } catch let error as HTTPError {
            return "\(error.status.code) \(error.message)"
        } catch { return "\(error)" }
    }
}

extension VerificationKey {
    /// A fake key, for which exactly one signature, a single byte, is valid.
    init(_ id: String, _ algorithm: SignatureAlgorithm = .es256, signature: UInt8 = 1) {
        self.init(name: KeyIdentifier(id: id, algorithm: algorithm)) { given, _ in given == [signature] }
    }
}
