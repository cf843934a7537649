/// A type as `format_type` writes it, `character varying(255)`, and whether its values fit into another one.
struct SQLType {
    private let name: String
    private let modifiers: [Int]

    init(_ text: String) {
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else {
            (name, modifiers) = (text, [])
            return
        }
        // `timestamp(3) without time zone` has its modifier in the middle.
        name = String(text[..<open]) + String(text[text.index(after: close)...])
        modifiers = text[text.index(after: open)..<close].split(separator: ",").map {
            Int($0.filter { !$0.isWhitespace }) ?? 0
        }
    }

    /// Types without a length whose values are all among those of others.
    private static let wider: [String: Set<String>] = [
        "smallint": ["integer", "bigint", "numeric", "real", "double precision"],
        "integer": ["bigint", "numeric", "double precision"], "bigint": ["numeric"],
        "real": ["double precision", "numeric"],
        "date": ["timestamp without time zone", "timestamp with time zone"],
        "timestamp without time zone": ["timestamp with time zone"],
        "character varying": ["text"], "text": ["character varying"], "character": ["text", "character varying"],
    ]

    /// Whether every value of another type fits into this one. What is not known to fit, does not.
    func holds(_ other: SQLType) -> Bool {
        if name == other.name { return holdsModifiers(of: other) }
        guard SQLType.wider[other.name]?.contains(name) ?? false else { return false }
        return modifiers.isEmpty
    }

    private func holdsModifiers(of other: SQLType) -> Bool {
        guard let first = modifiers.first else { return true }
        guard let old = other.modifiers.first else { return false }
        guard name == "numeric" else { return first >= old }
        let (scale, oldScale) = (modifiers.dropFirst().first ?? 0, other.modifiers.dropFirst().first ?? 0)
        return scale >= oldScale && first - scale >= old - oldScale
    }

    /// Whether a column of another type becomes this one without a look at its rows: a limit is raised or goes.
    func storesAsIs(_ other: SQLType) -> Bool {
        guard name != other.name else {
            let kinds = ["character varying", "numeric", "timestamp without time zone", "timestamp with time zone"]
            guard kinds.contains(name) else { return false }
            let isSameScale = modifiers.dropFirst() == other.modifiers.dropFirst()
            return modifiers.isEmpty || holds(other) && (name != "numeric" || isSameScale)
        }
        return name == "text" && other.name == "character varying"
            || name == "character varying" && modifiers.isEmpty && other.name == "text"
    }

    // MARK: Conversion

    /// Types that are cast into each other.
    private static let kinds: [Set<String>] = [
        ["smallint", "integer", "bigint", "numeric", "real", "double precision"], ["json", "jsonb"],
        ["date", "timestamp without time zone", "timestamp with time zone"], ["integer", "boolean"],
    ]

    private var isText: Bool { name == "text" || name == "character varying" }

    /// A column's value as another type: by a cast where there is one, else by way of text.
    static func conversion(of column: String, from old: String, to new: String) -> String {
        let (from, to) = (SQLType(old), SQLType(new))
        let isCast = from.isText || to.isText || kinds.contains { $0.contains(from.name) && $0.contains(to.name) }
        return isCast ? "\(column)::\(new)" : "\(column)::text::\(new)"
    }
}
