/// What clients authenticate with, in `Authorization: Bearer`.
public enum Credentials: String, Sendable {
    /// An API key of this application.
    case key
    /// A JSON Web Token.
    case token

    var summary: String {
        switch self {
        case .key: "An API key."
        case .token: "A token of the identity provider."
        }
    }

    /// How a bearer token is formatted, as documentation.
    var format: String? { self == .token ? "JWT" : nil }
}
