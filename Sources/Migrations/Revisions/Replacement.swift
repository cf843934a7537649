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
    /// The checksum of the revision's own file before the squash: a database that recorded this checksum is up to date,
    /// and the file does not count as changed.
    var checksum: String?
    /// By the id of each squashed revision that breaks older programs: the reason.
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
    /// By the id of each revision, squashed ones included: why it breaks programs that do not know it; an empty string
    /// if it does not.
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
