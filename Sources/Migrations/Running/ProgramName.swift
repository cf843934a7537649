/// The name that a program gives its connections (`application_name`): its version, and the newest revisions that it knows.
public struct ProgramName: Hashable, Sendable {
    /// Postgres cuts a name here (`NAMEDATALEN`), in bytes.
    private static let limit = 63

    /// `aktify 1.4.0 (8c1f0b7d4e2a)`
    public let text: String
    /// The revisions; those that had no room are left out.
    let heads: Set<String>

    /// Makes the name of a program.
    public init(version: String, heads: Set<String>) {
        var kept = heads.sorted()
        func text() -> String { "aktify \(version) (\(kept.joined(separator: " ")))" }
        while text().utf8.count > ProgramName.limit, !kept.isEmpty { kept.removeLast() }
        (self.text, self.heads) = (text(), Set(kept))
    }

    /// Reads a name; one without revisions, as older programs have it, knows none.
    init(parsing text: String) {
        self.text = text
        let list = text.firstMatch(of: /\(([\w ]+)\)/)?.1.split(separator: " ") ?? []
        heads = Set(list.map { String($0) })
    }

    /// Whether the program knows a revision: it is one of those that it names, or comes before one of them.
    func knows(_ id: String, in graph: RevisionGraph) -> Bool {
        heads.contains { (try? graph.closure(of: [$0]).contains(id)) ?? false }
    }
}
