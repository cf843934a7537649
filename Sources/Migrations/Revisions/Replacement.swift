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
                + breaking.sorted { $0.key < $1.key }.map { "-- Replaces breaking: \($0.key) \($0.value)\n" }.joined()
    }
}
