/// The squashed revisions that a baseline replaces, as its header lists them.
///
/// ```
/// -- Replaces: 6c369edd2a4c, 3531fa35359f
/// -- Replaces checksum: …
/// -- Replaces breaking: 3531fa35359f why it breaks older programs
/// ```
public struct Replacement: Hashable, Sendable {
    /// The ids of the squashed revisions, whose files no longer exist.
    public var ids: [String] = []
    /// The checksum of the replaced revision whose id the baseline has taken over. If a database has recorded this
    /// checksum for the id, the baseline's file does not count as changed.
    var checksum: String?
    /// The reasons why squashed revisions break older programs, by the ids of these revisions.
    var breaking: [String: String] = [:]

    /// The header lines, each with a trailing newline; empty if nothing was squashed.
    var header: String {
        ids.isEmpty
            ? ""
            : "-- Replaces: \(ids.joined(separator: ", "))\n" + (checksum.map { "-- Replaces checksum: \($0)\n" } ?? "")
                + breaking.sorted { $0.key < $1.key }.map {
                    SQLComment("Replaces breaking: \($0.key) \($0.value)").line + "\n"
                }.joined()
    }
}

extension [Revision] {
    /// The reasons why the array's revisions, and the revisions squashed into them, break older programs, by revision
    /// id. The reason is an empty string for a revision that breaks no programs.
    var breakingReasons: [String: String] {
        var reasons: [String: String] = [:]
        for revision in self {
            reasons[revision.id] = revision.upgrade.breaking ?? ""
            for id in revision.replacement.ids { reasons[id] = revision.replacement.breaking[id] ?? "" }
        }
        for revision in self {
            guard let id = revision.upgrade.contracted, reasons[id]?.isEmpty == true else { continue }
            reasons[id] = "\(revision.id) is its contract"
        }
        return reasons
    }
}
