extension RevisionGraph {
    /// Resolves a revision identifier in Alembic's syntax: a full or partial id, `head`, `heads`, `base`, `current`,
    /// `REV+N` or `REV-N`.
    /// - Parameters:
    ///   - text: the identifier.
    ///   - current: the database's current revisions; `nil` if there is no database.
    /// - Returns: The ids; none for `base`.
    /// - Throws: `GraphError` if the identifier matches no revision, is ambiguous, or is `current` without a database.
    public func resolve(_ text: String, current: Set<String>? = nil) throws(GraphError) -> [String] {
        switch text {
        case "head": return try head().map { [$0] } ?? []
        case "heads": return heads.map(\.id)
        case "base": return []
        case "current":
            guard let current else {
                throw GraphError(description: "current is not known without a database: write the revision's id")
            }
            return current.sorted()
        default: break
        }
        if let index = text.dropFirst().lastIndex(where: { $0 == "+" || $0 == "-" }), let steps = Int(text[index...]) {
            return [try walk(steps, from: try resolve(String(text[..<index]), current: current), text)]
        }
        return [try unique(text)]
    }

    /// Returns the id of the only revision whose id begins with a prefix; a revision whose whole id is given takes
    /// precedence.
    /// - Throws: `GraphError` if no revision or several revisions match.
    private func unique(_ prefix: String) throws(GraphError) -> String {
        let found =
            revisions.filter { $0.id == prefix }.first.map { [$0] } ?? revisions.filter { $0.id.hasPrefix(prefix) }
        if found.isEmpty, !prefix.isEmpty, let (id, baseline) = squashed(beginningWith: prefix).first {
            throw GraphError(description: "\(id) was squashed into \(baseline.id)")
        }
        guard let first = found.first, !prefix.isEmpty else {
            throw GraphError(description: "Can't locate revision identified by '\(prefix)'")
        }
        guard found.count == 1 else {
            throw GraphError(
                description: "Multiple revisions start with '\(prefix)': \(found.map(\.id).joined(separator: ", "))")
        }
        return first.id
    }

    /// Returns the id of the revision a number of steps from the start revision: towards its descendants if the number
    /// is positive, towards its ancestors if negative. Without a start revision, the walk begins at the base.
    private func walk(_ steps: Int, from start: [String], _ text: String) throws(GraphError) -> String {
        guard start.count <= 1 else {
            throw GraphError(
                description:
                    "Relative revision \(text) is ambiguous: it may start at \(start.joined(separator: ", "))")
        }
        var id = start.first
        for _ in 0..<steps.magnitude {
            let next =
                steps > 0
                ? id.map(children(of:)) ?? revisions.filter(\.parents.isEmpty).map(\.id)
                : try id.map { id throws(GraphError) in try revision(id).parents } ?? []
            guard next.count == 1 else {
                throw GraphError(description: "Relative revision \(text) didn't produce \(steps.magnitude) migrations")
            }
            id = next[0]
        }
        guard let id else {
            throw GraphError(description: "Relative revision \(text) didn't produce \(steps.magnitude) migrations")
        }
        return id
    }

    // MARK: Plans

    /// Returns the revisions that an upgrade to `target` applies, in order.
    /// - Throws: `GraphError` if the target matches no revision or is an ancestor of the current ones, or if a section
    ///   of a revision to apply is malformed.
    public func upgradePlan(to target: String, from current: Set<String>) throws(GraphError) -> [Revision] {
        let plan = try pending(to: target, from: current)
        for revision in plan { try refuse(revision.problem) }
        return plan
    }

    private func pending(to target: String, from current: Set<String>) throws(GraphError) -> [Revision] {
        let applied = try closure(of: current)
        if let steps = relative(target, "+") {
            let pending = revisions.filter { !applied.contains($0.id) }
            guard pending.count >= steps else { throw relativeFailed(target, steps) }
            return Array(pending.prefix(steps))
        }
        let targets = try resolve(target, current: current)
        let wanted = try closure(of: targets)
        if !targets.isEmpty, wanted.isSubset(of: applied), !Set(targets).isSubset(of: current) {
            throw GraphError(
                description:
                    "Destination \(targets.joined(separator: ", ")) is not a valid upgrade target from current head(s) "
                    + current.sorted().joined(separator: ", "))
        }
        return revisions.filter { wanted.contains($0.id) && !applied.contains($0.id) }
    }

    /// Returns the revisions that a downgrade to `target` reverts, in order.
    /// - Throws: `GraphError` if the target matches no revision or is not applied, or if a downgrade section is
    ///   malformed.
    public func downgradePlan(to target: String, from current: Set<String>) throws(GraphError) -> [Revision] {
        let plan = try undone(to: target, from: current)
        for revision in plan { try refuse(revision.downgrade.problem) }
        return plan
    }

    private func undone(to target: String, from current: Set<String>) throws(GraphError) -> [Revision] {
        let applied = try closure(of: current)
        if let steps = relative(target, "-") {
            let undone = revisions.filter { applied.contains($0.id) }.reversed().prefix(steps)
            guard undone.count == steps else { throw relativeFailed(target, steps) }
            return Array(undone)
        }
        let targets = try resolve(target, current: current)
        guard targets.allSatisfy(applied.contains) else {
            throw GraphError(
                description:
                    "Destination \(targets.joined(separator: ", ")) is not a valid downgrade target from current "
                    + "head(s) "
                    + current.sorted().joined(separator: ", "))
        }
        guard !targets.isEmpty else { return revisions.filter { applied.contains($0.id) }.reversed() }
        let later = descendants(of: targets)
        return revisions.filter { applied.contains($0.id) && later.contains($0.id) }.reversed()
    }

    /// Throws the syntax error of a revision, if there is one, as a `GraphError`: malformed sections are not executed.
    private func refuse(_ problem: MalformedRevision?) throws(GraphError) {
        if let problem { throw GraphError(description: problem.description) }
    }

    /// The ids of all direct and indirect descendants of these revisions.
    private func descendants(of ids: [String]) -> Set<String> {
        var (found, unvisited): (Set<String>, [String]) = ([], ids.flatMap(children(of:)))
        while let id = unvisited.popLast() {
            if found.insert(id).inserted { unvisited += children(of: id) }
        }
        return found
    }

    private func relative(_ target: String, _ sign: Character) -> Int? {
        let digits = target.dropFirst()
        return target.first == sign && digits.allSatisfy { ("0"..."9").contains($0) } ? Int(digits) : nil
    }

    private func relativeFailed(_ target: String, _ steps: Int) -> GraphError {
        GraphError(description: "Relative revision \(target) didn't produce \(steps) migrations")
    }

    // MARK: Versions

    /// Returns the rows of `alembic_version` after a revision was applied: the revision's id replaces the ids of its
    /// parents.
    func versions(_ versions: Set<String>, applying revision: Revision) -> Set<String> {
        versions.subtracting(revision.parents).union([revision.id])
    }

    /// Returns the rows of `alembic_version` after a revision was reverted: the ids of its parents replace the
    /// revision's id, except for parents that are ancestors of other rows.
    func versions(_ versions: Set<String>, undoing revision: Revision) throws(GraphError) -> Set<String> {
        let rest = versions.subtracting([revision.id])
        let covered = try closure(of: rest)
        return rest.union(revision.parents.filter { !covered.contains($0) })
    }
}
