/// The `application_name` of a program's connections: its version, and the head revisions that it knows.
public struct ProgramName: Hashable, Sendable {
    /// The number of bytes to which Postgres truncates a name (`NAMEDATALEN` - 1).
    private static let limit = 63

    /// The name, such as `aktify 1.4.0 (8c1f0b7d4e2a)`.
    public let text: String
    /// The head revisions in the name. Heads that would make the name longer than 63 bytes are left out.
    let heads: Set<String>

    /// Creates the name of a program.
    public init(version: String, heads: Set<String>) {
        var included = heads.sorted()
        func text() -> String { "aktify \(version) (\(included.joined(separator: " ")))" }
        while text().utf8.count > ProgramName.limit, !included.isEmpty { included.removeLast() }
        (self.text, self.heads) = (text(), Set(included))
    }

    /// Parses a name. A program whose name contains no revisions, such as an older program, knows none.
    init(parsing text: String) {
        self.text = text
        let list = text.firstMatch(of: /\(([\w ]+)\)/)?.1.split(separator: " ") ?? []
        heads = Set(list.map { String($0) })
    }

    /// Whether the program knows a revision: the revision is one of the program's heads, or an ancestor of one.
    func knows(_ id: String, in graph: RevisionGraph) -> Bool {
        heads.contains { (try? graph.closure(of: [$0]).contains(id)) ?? false }
    }
}
