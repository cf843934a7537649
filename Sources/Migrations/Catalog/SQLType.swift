/// A type in the notation of `format_type`, such as `character varying(255)`.
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

    /// For each type, the other types that, if specified without a length or precision, can hold all its values.
    private static let wider: [String: Set<String>] = [
        "smallint": ["integer", "bigint", "numeric", "real", "double precision"],
        "integer": ["bigint", "numeric", "double precision"], "bigint": ["numeric"],
        "real": ["double precision"],
        "date": ["timestamp without time zone", "timestamp with time zone"],
        "timestamp without time zone": ["timestamp with time zone"],
        "character varying": ["text"], "text": ["character varying"], "character": ["text", "character varying"],
    ]

    /// Whether this type can hold every value of another type; false if that is unknown.
    func holds(_ other: SQLType) -> Bool {
        if name == other.name { return holdsModifiers(of: other) }
        guard SQLType.wider[other.name]?.contains(name) ?? false else { return false }
        return modifiers.isEmpty
    }

    private func holdsModifiers(of other: SQLType) -> Bool {
        guard let first = modifiers.first else { return true }
        guard let old = other.modifiers.first else { return false }
        guard ["numeric", "numeric[]"].contains(name) else { return first >= old }
        let (scale, oldScale) = (modifiers.dropFirst().first ?? 0, other.modifiers.dropFirst().first ?? 0)
        return scale >= oldScale && first - scale >= old - oldScale
    }

    /// Whether a column of another type can be changed to this type without a table scan, because only a limit is
    /// raised or removed.
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

    /// Groups of types between which casts exist.
    private static let kinds: [Set<String>] = [
        ["smallint", "integer", "bigint", "numeric", "real", "double precision"], ["json", "jsonb"],
        ["date", "timestamp without time zone", "timestamp with time zone"], ["integer", "boolean"],
    ]

    private var isText: Bool { name == "text" || name == "character varying" }

    /// The SQL expression that converts a column to another type: by a cast if there is one, otherwise by way of text.
    static func conversion(of column: String, from old: String, to new: String) -> String {
        let (from, to) = (SQLType(old), SQLType(new))
        let isCast = from.isText || to.isText || kinds.contains { $0.contains(from.name) && $0.contains(to.name) }
        return isCast ? "\(column)::\(new)" : "\(column)::text::\(new)"
    }
}
