import HTTPTypes

/// What a client would like a request to be answered like (RFC 7240).
public struct Preferences: Hashable, Sendable {
    private var tokens: Set<String> = []

    /// Reads the values of `Prefer`, with commas between; parameters of a preference do not matter.
    public init(_ text: String) {
        for element in text.lowercased().split(separator: ",") {
            let token = element.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
            let name = token.prefix { $0 != "=" }
            // Of several with one name the first one counts.
            if !tokens.contains(where: { $0.prefix { $0 != "=" } == name }) { tokens.insert(String(token)) }
        }
    }

    /// `return=minimal`: no body after a change.
    public var isMinimal: Bool { tokens.contains("return=minimal") }

    /// `handling=strict`: a parameter that is not known is an error.
    public var isStrict: Bool { tokens.contains("handling=strict") }
}

extension Request {
    /// Whether the client prefers anything.
    public var prefersAnything: Bool { headers.contains(.prefer) }

    /// What the client prefers.
    public var preferences: Preferences { Preferences(headers.values(of: .prefer).joined(separator: ",")) }
}
