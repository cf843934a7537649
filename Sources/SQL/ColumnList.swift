/// The names of a table's columns, in the order in which a model reads them; a statement never says `*`, which would change
/// under it.
public struct ColumnList: ExpressibleByArrayLiteral, Sendable {
    /// The names, quoted where SQL asks for it, with commas between.
    public let text: String

    public init(arrayLiteral names: String...) { text = names.map(Self.quoted).joined(separator: ", ") }

    /// A name as it is when it is lower-case letters, digits and underscores; else in quotes (Postgres manual, chapter 4.1.1).
    private static func quoted(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
        return isPlain ? name : "\"" + name.replacing("\"", with: "\"\"") + "\""
    }
}
