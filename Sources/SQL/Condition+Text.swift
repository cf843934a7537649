extension Column where Value: TextValue {
    /// Whether there is a text, and it contains another one, whatever the case: `name ILIKE '%…%'`, with `%`, `_` and `\` standing for
    /// themselves (Postgres manual, chapter 9.7.1).
    public func contains(_ part: String) -> Condition<Model> {
        compared(" ILIKE ", "%\(escaped(part))%") { value in
            value.text.map { Pattern.lowercased($0).contains(Pattern.lowercased(part)) } ?? false
        }
    }
}

extension Column where Value == String {
    /// Whether the text begins with another one: `name LIKE '…%'`.
    public func hasPrefix(_ start: String) -> Condition<Model> {
        compared(" LIKE ", "\(escaped(start))%") { $0.unicodeScalars.starts(with: start.unicodeScalars) }
    }

    /// Whether the text matches a pattern of LIKE's, in which `%` is any text and `_` any character.
    public func like(_ pattern: String) -> Condition<Model> {
        compared(" LIKE ", pattern) { Pattern(pattern).matches($0) }
    }

    /// Whether the text matches a pattern of LIKE's, whatever the case.
    public func ilike(_ pattern: String) -> Condition<Model> {
        compared(" ILIKE ", pattern) { Pattern(Pattern.lowercased(pattern)).matches(Pattern.lowercased($0)) }
    }
}

/// Text in which what LIKE takes for a sign stands for itself.
func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
        if "\\%_".unicodeScalars.contains(scalar) { escaped.unicodeScalars.append("\\") }
        escaped.unicodeScalars.append(scalar)
    }
    return escaped
}

/// LIKE in memory.
private struct Pattern {
    private enum Sign: Equatable {
        case character(Unicode.Scalar)
        case anyCharacter
        case anyText
    }

    private var signs: [Sign] = []

    init(_ pattern: String) {
        var isEscaped = false
        for scalar in pattern.unicodeScalars {
            switch scalar {
            case "\\" where !isEscaped: isEscaped = true
            case "%" where !isEscaped: signs.append(.anyText)
            case "_" where !isEscaped: signs.append(.anyCharacter)
            default:
                signs.append(.character(scalar))
                isEscaped = false
            }
        }
    }

    /// Goes through the text once for each sign, keeping all places that the signs so far can have led to.
    func matches(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var places: Set<Int> = [0]
        for sign in signs {
            switch sign {
            case .anyText: places = places.min().map { Set($0...scalars.count) } ?? []
            case .anyCharacter: places = Set(places.filter { $0 < scalars.count }.map { $0 + 1 })
            case .character(let scalar):
                places = Set(places.filter { $0 < scalars.count && scalars[$0] == scalar }.map { $0 + 1 })
            }
        }
        return places.contains(scalars.count)
    }

    /// Lower case character by character, as Postgres makes it: no letter becomes two.
    static func lowercased(_ text: String) -> String {
        var lower = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let mapped = scalar.properties.lowercaseMapping.unicodeScalars
            lower.append(mapped.count == 1 ? mapped[mapped.startIndex] : scalar)
        }
        return String(lower)
    }
}
