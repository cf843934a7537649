/// The revisions that one stands for since they were squashed into it, as its header says.
///
/// ```
/// -- Replaces: 6c369edd2a4c, 3531fa35359f
/// -- Replaces checksum: …
/// -- Replaces breaking: 3531fa35359f why it breaks older programs
/// ```
public struct Replacement: Hashable, Sendable {
    /// The ids of the revisions that are gone.
    public var ids: [String] = []
    /// The checksum of the file that the revision itself had before: databases that applied that one are as they must be.
    var checksum: String?
    /// Why revisions that are gone break older programs, by their ids.
    var breaking: [String: String] = [:]

    /// The lines of a header, with a line's end behind each.
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
    /// Why each of them, and of those that they replace, breaks programs that do not know it, by their ids; nothing for one that does not.
    var reasonsOfBreaking: [String: String] {
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
