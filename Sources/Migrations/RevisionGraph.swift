/// The revisions in the order in which they build on each other: one line, from the first to the head.
public struct RevisionGraph: Sendable {
    /// All revisions, the first one first.
    public let revisions: [Revision]

    /// Why revisions do not make a line, as a sentence.
    public struct Broken: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// Puts revisions in order.
    /// - Throws: `Broken` when two have one id, one builds on a revision that is not there, or two on the same one.
    public init(_ revisions: [Revision]) throws(Broken) {
        var next: [String?: Revision] = [:]
        for revision in revisions {
            if let other = next.updateValue(revision, forKey: revision.down) {
                throw Broken(
                    description: "both \(other.file) and \(revision.file) revise \(revision.down ?? "nothing")")
            }
        }
        var line: [Revision] = []
        while let revision = next.removeValue(forKey: line.last?.id) { line.append(revision) }
        if let lost = next.values.min(by: { $0.id < $1.id }) {
            throw Broken(
                description: "\(lost.file) revises \(lost.down ?? "nothing"), which no other revision leads to")
        }
        self.revisions = line
    }

    /// What is to be applied to a database that stands at `current`.
    /// - Throws: `Broken` when no file has that revision.
    public func pending(after current: String?) throws(Broken) -> ArraySlice<Revision> {
        guard let current else { return revisions[...] }
        guard let index = revisions.firstIndex(where: { $0.id == current }) else {
            throw Broken(
                description: "Can't locate revision identified by '\(current)': the database is at one that has no file"
            )
        }
        return revisions[(index + 1)...]
    }
}
