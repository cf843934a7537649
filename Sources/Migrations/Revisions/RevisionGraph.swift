/// The revisions and how they build on each other: no files, no database.
public struct RevisionGraph: Sendable {
    /// All revisions, each after those that it builds on.
    public let revisions: [Revision]
    private let byID: [String: Revision]
    private let children: [String: [String]]
    /// The revisions that stand for squashed ones, by the ids of these.
    private let replacing: [String: Revision]

    /// Why revisions cannot be put in order, or one not be found, as a sentence.
    public struct Broken: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// Puts revisions in order.
    /// - Throws: `Broken` when two have one id, one builds on a revision that is not there, or some on each other.
    public init(_ revisions: [Revision]) throws(Broken) {
        var (byID, children): ([String: Revision], [String: [String]]) = ([:], [:])
        for revision in revisions.sorted(by: { $0.id < $1.id }) {
            if let other = byID.updateValue(revision, forKey: revision.id) {
                throw Broken(description: "both \(other.file) and \(revision.file) are revision \(revision.id)")
            }
            for parent in revision.parents { children[parent, default: []].append(revision.id) }
        }
        for revision in revisions {
            for parent in revision.parents where byID[parent] == nil {
                throw Broken(description: "\(revision.file) revises \(parent), which no file has")
            }
        }
        (self.byID, self.children) = (byID, children)
        replacing = try RevisionGraph.replacing(byID)
        self.revisions = try RevisionGraph.ordered(byID)
    }

    private static func replacing(_ byID: [String: Revision]) throws(Broken) -> [String: Revision] {
        var replacing: [String: Revision] = [:]
        for revision in byID.values {
            for id in revision.replacement.ids {
                if let old = byID[id] {
                    throw Broken(description: "\(old.file) was squashed into \(revision.file): delete it")
                }
                replacing[id] = revision
            }
        }
        return replacing
    }

    private static func ordered(_ byID: [String: Revision]) throws(Broken) -> [Revision] {
        var left = byID.values.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
        var (done, order): (Set<String>, [Revision]) = ([], [])
        while let index = left.firstIndex(where: { $0.parents.allSatisfy(done.contains) }) {
            let next = left.remove(at: index)
            done.insert(next.id)
            order.append(next)
        }
        guard left.isEmpty else {
            throw Broken(
                description:
                    "these revisions build on each other in a circle: \(left.map(\.id).joined(separator: ", "))")
        }
        return order
    }

    // MARK: What is there

    /// The revision with this id.
    /// - Throws: `Broken` when there is none.
    public func revision(_ id: String) throws(Broken) -> Revision {
        if let revision = byID[id] { return revision }
        guard let baseline = replacing[id] else {
            throw Broken(description: "Can't locate revision identified by '\(id)'")
        }
        throw Broken(
            description:
                "the database is at \(id), which was squashed into \(baseline.id): upgrade with a version of the program "
                + "that still has its file first")
    }

    /// The squashed revisions whose ids begin so, with those into which they were.
    func squashed(beginningWith prefix: String) -> [(id: String, baseline: Revision)] {
        replacing.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The ids of all revisions, also of those that were squashed.
    public var knownIDs: Set<String> { Set(byID.keys).union(replacing.keys) }

    /// The id of the revision into which one was squashed; its own when it was not.
    func idAfterSquash(of id: String) -> String { replacing[id]?.id ?? id }

    /// The revisions that none builds on.
    public var heads: [Revision] { revisions.filter { children[$0.id] == nil } }

    /// The revisions that several build on.
    public var branchPoints: [Revision] { revisions.filter { (children[$0.id]?.count ?? 0) > 1 } }

    /// The revisions that build on this one.
    public func children(of id: String) -> [String] { children[id] ?? [] }

    /// `(head)`, `(branchpoint)`, `(mergepoint)`, as far as they hold, each with a space before it.
    public func marks(of revision: Revision) -> String {
        let marks = [
            (children[revision.id] == nil, "head"), ((children[revision.id]?.count ?? 0) > 1, "branchpoint"),
            (revision.parents.count > 1, "mergepoint"),
        ]
        return marks.filter(\.0).map { " (\($0.1))" }.joined()
    }

    /// These revisions and all that they build on.
    /// - Throws: `Broken` when one is not there.
    public func closure(of ids: some Sequence<String>) throws(Broken) -> Set<String> {
        var (found, left): (Set<String>, [String]) = ([], Array(ids))
        while let id = left.popLast() {
            guard found.insert(id).inserted else { continue }
            left += try revision(id).parents
        }
        return found
    }

    /// The one head.
    /// - Throws: `Broken` when there are several.
    public func head() throws(Broken) -> String? {
        guard heads.count <= 1 else {
            throw Broken(
                description:
                    "Multiple heads are present (\(heads.map(\.id).joined(separator: ", "))); please specify the head "
                    + "revision, or make them one: aktify db merge -m \"merge heads\" heads")
        }
        return heads.first?.id
    }
}
