/// The kind of credentials that clients send in `Authorization: Bearer`.
public enum Credentials: String, Sendable {
    /// An API key issued by this application.
    case key
    /// A JSON Web Token.
    case token

    /// The description of the credentials in the OpenAPI document.
    var summary: String {
        switch self {
        case .key: "An API key."
        case .token: "An access token issued by the identity provider."
        }
    }

    /// The format of the bearer token, for documentation (`bearerFormat`).
    var format: String? { self == .token ? "JWT" : nil }
}
