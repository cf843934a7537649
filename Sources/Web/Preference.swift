import HTTPTypes

/// The value of `Prefer`: the client's preferences for the handling of a request (RFC 7240).
public struct Preferences: Hashable, Sendable {
    private var tokens: Set<String> = []

    /// Parses a comma-separated list of preferences; their parameters are ignored.
    public init(_ text: String) {
        for element in text.lowercased().split(separator: ",") {
            let token = element.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
            let name = token.prefix { $0 != "=" }
            // Of several preferences with one name, the first one counts (RFC 7240, section 2).
            if !tokens.contains(where: { $0.prefix { $0 != "=" } == name }) { tokens.insert(String(token)) }
        }
    }

    /// `return=minimal`: whether the response to a change should have no body.
    public var isMinimal: Bool { tokens.contains("return=minimal") }

    /// `handling=strict`: whether an unknown query parameter is an error.
    public var isStrict: Bool { tokens.contains("handling=strict") }
}

extension Request {
    /// Whether the request has preferences.
    public var hasPreferences: Bool { headers.contains(.prefer) }

    /// The preferences of the request.
    public var preferences: Preferences { Preferences(headers.values(of: .prefer).joined(separator: ",")) }
}
