/// The graph of all revisions. It does not access files or the database.
public struct RevisionGraph: Sendable {
    /// All revisions in topological order: each comes after its parents.
    public let revisions: [Revision]
    private let byID: [String: Revision]
    private let children: [String: [String]]
    /// The baselines that replace squashed revisions, by the id of each squashed revision.
    private let replacing: [String: Revision]

    /// An error in the graph, or a revision that cannot be found; the description is the message for the user.
    public struct GraphError: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// Sorts revisions topologically.
    /// - Throws: `GraphError` if two revisions have the same id, a parent does not exist, a squashed revision is still
    ///   among the revisions, or there is a cycle.
    public init(_ revisions: [Revision]) throws(GraphError) {
        var (byID, children): ([String: Revision], [String: [String]]) = ([:], [:])
        for revision in revisions.sorted(by: { $0.id < $1.id }) {
            if let other = byID.updateValue(revision, forKey: revision.id) {
                throw GraphError(
                    description: "\(other.file) and \(revision.file) have the same revision ID, \(revision.id)")
            }
            for parent in revision.parents { children[parent, default: []].append(revision.id) }
        }
        for revision in revisions {
            for parent in revision.parents where byID[parent] == nil {
                throw GraphError(description: "\(revision.file) revises \(parent), which does not exist")
            }
        }
        (self.byID, self.children) = (byID, children)
        replacing = try RevisionGraph.replacing(byID)
        self.revisions = try RevisionGraph.ordered(byID)
    }

    private static func replacing(_ byID: [String: Revision]) throws(GraphError) -> [String: Revision] {
        var replacing: [String: Revision] = [:]
        for revision in byID.values {
            for id in revision.replacement.ids {
                if let old = byID[id] {
                    throw GraphError(description: "\(old.file) was squashed into \(revision.file): delete it")
                }
                replacing[id] = revision
            }
        }
        return replacing
    }

    private static func ordered(_ byID: [String: Revision]) throws(GraphError) -> [Revision] {
        var remaining = byID.values.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
        var (done, order): (Set<String>, [Revision]) = ([], [])
        while let index = remaining.firstIndex(where: { $0.parents.allSatisfy(done.contains) }) {
            let next = remaining.remove(at: index)
            done.insert(next.id)
            order.append(next)
        }
        guard remaining.isEmpty else {
            throw GraphError(
                description:
                    "these revisions form a cycle: \(remaining.map(\.id).joined(separator: ", "))")
        }
        return order
    }

    // MARK: Lookup

    /// Returns the revision with this id.
    /// - Throws: `GraphError` if there is none.
    public func revision(_ id: String) throws(GraphError) -> Revision {
        if let revision = byID[id] { return revision }
        guard let baseline = replacing[id] else {
            throw GraphError(description: "Can't locate revision identified by '\(id)'")
        }
        throw GraphError(
            description:
                "the database is at \(id), which was squashed into \(baseline.id): upgrade with a version of the "
                + "program that still has its file first")
    }

    /// Returns the squashed revisions whose ids begin with a prefix, each with its baseline.
    func squashed(beginningWith prefix: String) -> [(id: String, baseline: Revision)] {
        replacing.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The ids of all revisions, squashed ones included.
    public var knownIDs: Set<String> { Set(byID.keys).union(replacing.keys) }

    /// The id of the baseline into which a revision was squashed; the revision's id if it was not squashed.
    func idAfterSquash(of id: String) -> String { replacing[id]?.id ?? id }

    /// The revisions without children.
    public var heads: [Revision] { revisions.filter { children[$0.id] == nil } }

    /// The revisions with more than one child.
    public var branchPoints: [Revision] { revisions.filter { (children[$0.id]?.count ?? 0) > 1 } }

    /// The ids of the revisions that revise this one.
    public func children(of id: String) -> [String] { children[id] ?? [] }

    /// The marks that `history` shows for a revision: `(head)`, `(branchpoint)` and `(mergepoint)` as they apply, each
    /// with a leading space.
    public func marks(of revision: Revision) -> String {
        let marks = [
            (children[revision.id] == nil, "head"), ((children[revision.id]?.count ?? 0) > 1, "branchpoint"),
            (revision.parents.count > 1, "mergepoint"),
        ]
        return marks.filter(\.0).map { " (\($0.1))" }.joined()
    }

    /// Returns the ids of these revisions and all their ancestors.
    /// - Throws: `GraphError` if one of the revisions does not exist.
    public func closure(of ids: some Sequence<String>) throws(GraphError) -> Set<String> {
        var (found, unvisited): (Set<String>, [String]) = ([], Array(ids))
        while let id = unvisited.popLast() {
            guard found.insert(id).inserted else { continue }
            unvisited += try revision(id).parents
        }
        return found
    }

    /// Returns the id of the only head; `nil` if there are no revisions.
    /// - Throws: `GraphError` if there are several heads.
    public func head() throws(GraphError) -> String? {
        guard heads.count <= 1 else {
            throw GraphError(
                description:
                    "Multiple heads are present (\(heads.map(\.id).joined(separator: ", "))); please specify the head "
                    + "revision, or merge them: aktify db merge -m \"merge heads\" heads")
        }
        return heads.first?.id
    }
}
