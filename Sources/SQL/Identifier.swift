/// Returns a name as an SQL identifier: unchanged if the name consists of lower-case letters, digits and underscores,
/// does not begin with a digit and is not a reserved word, otherwise in quotes (Postgres manual, section 4.1.1).
func identifier(_ name: String) -> String {
    let isPlain =
        name.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
        && !("0"..."9").contains(name.first ?? "0") && !reservedWords.contains(name)
    return isPlain ? name : "\"" + name.replacing("\"", with: "\"\"") + "\""
}

extension String {
    /// Returns this identifier followed by a suffix. The identifier, but not the suffix, is shortened as necessary to
    /// keep the result within Postgres's limit of 63 bytes.
    package func withSuffix(_ suffix: String) -> String {
        var name = self
        while name.utf8.count + suffix.utf8.count > 63 { name.unicodeScalars.removeLast() }
        return name + suffix
    }
}

/// The key words that must be quoted to be used as the name of a column or table (Postgres manual, appendix C).
private let reservedWords: Set<String> = [
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary", "both",
    "case", "cast", "check", "collate", "collation", "column", "concurrently", "constraint", "create", "cross",
    "current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp",
    "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "false", "fetch", "for",
    "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike", "in", "initially", "inner", "intersect",
    "into", "is", "isnull", "join", "lateral", "leading", "left", "like", "limit", "localtime", "localtimestamp",
    "natural", "not", "notnull", "null", "offset", "on", "only", "or", "order", "outer", "overlaps", "placing",
    "primary", "references", "returning", "right", "select", "session_user", "similar", "some", "symmetric",
    "system_user", "tablesample", "table", "then", "to", "trailing", "true", "union", "unique", "user", "using",
    "variadic", "verbose", "when", "where", "window", "with",
]
