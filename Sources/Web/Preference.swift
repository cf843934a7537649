import HTTPTypes

/// The value of `Prefer`: the client's preferences for the handling of a request (RFC 7240).
public struct Preferences: Hashable, Sendable {
    private var tokens: Set<String> = []

    /// Parses a comma-separated list of preferences, ignoring their parameters.
    public init(_ text: String) {
        for element in text.lowercased().split(separator: ",") {
            let token = element.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
            let name = token.prefix { $0 != "=" }
            // Of several preferences with one name, the first one counts (RFC 7240, section 2).
            if !tokens.contains(where: { $0.prefix { $0 != "=" } == name }) { tokens.insert(String(token)) }
        }
    }

    /// Whether the client prefers a response without a body when a request changes data (`return=minimal`).
    public var isMinimal: Bool { tokens.contains("return=minimal") }

    /// Whether the client prefers an error for an unknown query parameter (`handling=strict`).
    public var isStrict: Bool { tokens.contains("handling=strict") }
}

extension Request {
    /// Whether the request has the header field `Prefer`.
    public var hasPreferences: Bool { headers.contains(.prefer) }

    /// The preferences of the request, from the header field `Prefer`.
    public var preferences: Preferences { Preferences(headers.values(of: .prefer).joined(separator: ",")) }
}
