import Authentication
import HTTPTypes
import Web

@testable import JWTAuthentication

/// A token in the making: JSON as text, so that it may be wrong.
struct Token {
    var header = #"{"alg":"ES256","kid":"a","typ":"JWT"}"#
    var claims = Token.claims()
    var signature: [UInt8] = [1]

    var signed: String { "\(Array(header.utf8).base64URL).\(Array(claims.utf8).base64URL)" }
    var text: String { "\(signed).\(signature.base64URL)" }

    /// The time in tests.
    static let now = 1_800_000_000.0
    static let provider = IdentityProvider(
        keys: .file("/nowhere"), issuer: "https://id.example.org/", audience: "https://api.example.org")

    /// Claims that are taken, with changes: another value as JSON, or `nil` for none.
    static func claims(_ changes: [String: String?] = [:]) -> String {
        var all: [String: String] = [
            "iss": #""https://id.example.org/""#, "aud": #""https://api.example.org""#, "sub": #""ada""#,
            "exp": "1800000100", "roles": #"["editor"]"#,
        ]
        for (name, value) in changes { all[name] = value }
        return "{" + all.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    /// A request that carries a token.
    static func request(_ text: String) -> Request {
        Request(method: .get, target: "/", headers: [.authorization: "Bearer \(text)"])
    }
}

extension JWTAuthenticator {
    /// Who a token is taken for: a name and a role, or the status and the message that it is refused with.
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
    /// One whose signature is a byte.
    init(_ id: String, _ algorithm: SignatureAlgorithm = .es256, signature: UInt8 = 1) {
        self.init(name: KeyIdentifier(id: id, algorithm: algorithm)) { given, _ in given == [signature] }
    }
}
