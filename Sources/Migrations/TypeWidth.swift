/// Which types hold all values of others, and how values get from one to another.
enum TypeWidth {
    static func holds(_ wide: String, all narrow: String) -> Bool {
        let integers = ["smallint", "integer", "bigint", "numeric"]
        if let from = integers.firstIndex(of: narrow), let to = integers.firstIndex(of: wide) { return from <= to }
        guard isText(narrow) else { return false }
        if wide == "text" || wide == "character varying" { return true }
        guard let from = length(narrow), let to = length(wide) else { return false }
        return from <= to
    }

    /// A column's value as another type: by a cast where there is one, else by way of text.
    static func conversion(of column: String, from old: String, to new: String) -> String {
        let isCast = isText(old) || isText(new) || kinds.contains { $0.contains(bare(old)) && $0.contains(bare(new)) }
        return isCast ? "\(column)::\(new)" : "\(column)::text::\(new)"
    }

    /// Types that are cast into each other.
    private static let kinds: [Set<String>] = [
        ["smallint", "integer", "bigint", "numeric", "real", "double precision"], ["json", "jsonb"],
        ["date", "timestamp without time zone", "timestamp with time zone"], ["integer", "boolean"],
    ]

    private static func isText(_ type: String) -> Bool { type.hasPrefix("character varying") || type == "text" }

    /// A type without its length or precision.
    private static func bare(_ type: String) -> String {
        type.hasPrefix("numeric(") ? "numeric" : type
    }

    private static func length(_ type: String) -> Int? {
        guard type.hasPrefix("character varying("), type.hasSuffix(")") else { return nil }
        return Int(type.dropFirst("character varying(".count).dropLast())
    }
}
