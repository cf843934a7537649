extension Column where Value: TextValue {
    /// Returns the condition that the text contains a substring, case-insensitively: `name ILIKE '%…%'`. The characters
    /// `%`, `_` and `\` in the substring are escaped, so that they match themselves (Postgres manual, section 9.7.1).
    /// NULL does not match.
    public func contains(_ part: String) -> Condition<Model> {
        compared(" ILIKE ", "%\(escaped(part))%") { value in
            value.text.map { Pattern.lowercased($0).contains(Pattern.lowercased(part)) } ?? false
        }
    }
}

extension Column where Value == String {
    /// Returns the condition that the text begins with a prefix: `name LIKE '…%'`.
    public func hasPrefix(_ start: String) -> Condition<Model> {
        compared(" LIKE ", "\(escaped(start))%") { $0.unicodeScalars.starts(with: start.unicodeScalars) }
    }

    /// Returns the condition that the text matches a LIKE pattern, in which `%` matches any text and `_` any character.
    public func like(_ pattern: String) -> Condition<Model> {
        compared(" LIKE ", pattern) { Pattern(pattern).matches($0) }
    }

    /// Returns the condition that the text matches a LIKE pattern, case-insensitively (ILIKE).
    public func ilike(_ pattern: String) -> Condition<Model> {
        compared(" ILIKE ", pattern) { Pattern(Pattern.lowercased(pattern)).matches(Pattern.lowercased($0)) }
    }
}

/// Escapes the characters that have a meaning in a LIKE pattern.
func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
        if "\\%_".unicodeScalars.contains(scalar) { escaped.unicodeScalars.append("\\") }
        escaped.unicodeScalars.append(scalar)
    }
    return escaped
}

/// A LIKE pattern that is evaluated in memory.
private struct Pattern {
    private enum Token: Equatable {
        case character(Unicode.Scalar)
        case anyCharacter
        case anyText
    }

    private var tokens: [Token] = []

    init(_ pattern: String) {
        var isEscaped = false
        for scalar in pattern.unicodeScalars {
            switch scalar {
            case "\\" where !isEscaped: isEscaped = true
            case "%" where !isEscaped: tokens.append(.anyText)
            case "_" where !isEscaped: tokens.append(.anyCharacter)
            default:
                tokens.append(.character(scalar))
                isEscaped = false
            }
        }
    }

    /// Whether the pattern matches the whole text. `positions` contains the offsets in the text at which a match of the
    /// tokens processed so far can end.
    func matches(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var positions: Set<Int> = [0]
        for token in tokens {
            switch token {
            case .anyText: positions = positions.min().map { Set($0...scalars.count) } ?? []
            case .anyCharacter: positions = Set(positions.filter { $0 < scalars.count }.map { $0 + 1 })
            case .character(let scalar):
                positions = Set(positions.filter { $0 < scalars.count && scalars[$0] == scalar }.map { $0 + 1 })
            }
        }
        return positions.contains(scalars.count)
    }

    /// Returns the text in lower case. Like Postgres, it converts one character at a time: a character whose lower-case
    /// form has several characters is left unchanged.
    static func lowercased(_ text: String) -> String {
        var lower = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let mapped = scalar.properties.lowercaseMapping.unicodeScalars
            lower.append(mapped.count == 1 ? mapped[mapped.startIndex] : scalar)
        }
        return String(lower)
    }
}
