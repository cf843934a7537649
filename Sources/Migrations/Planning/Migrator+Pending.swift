import Postgres

/// A revision that an upgrade would apply.
struct PendingRevision {
    let revision: Revision
    /// The position at which the revision starts or resumes.
    let position: Position
    /// Why the revision would be refused now; `nil` if it would not.
    let obstacle: String?

    /// The remaining statements of the revision, grouped by transaction.
    var segments: [[Revision.Statement]] {
        Array(revision.upgrade.statements.dropFirst(position.statements)).transactions(without: \.isOutside)
    }

    /// The position at which the revision resumes; `nil` if it starts at its beginning.
    var resumption: PlannedResumption? {
        guard !position.isStart else { return nil }
        return PlannedResumption(line: segments.first?.first?.line, key: position.key, rows: position.rows)
    }
}

extension Migrator {
    /// Returns the database's current revisions, and the revisions that an upgrade to a target would apply.
    /// - Throws: `MigrationFailed` if a revision is in progress, if an upgrade would refuse to resume an incomplete
    ///   revision, or if `-- contract of REV` names no ancestor; `RevisionGraph.GraphError`, `PostgresError`.
    func pending(to target: String) async throws -> (versions: Set<String>, revisions: [PendingRevision]) {
        try await withSession { session in
            let versions = try await currentVersions(session)
            let revisions = try graph.upgradePlan(to: target, from: versions)
            for revision in revisions.isEmpty ? [] : try applied(versions) {
                try await checkIncompleteRun(session, revision, revision.downgrade, .upgrade)
            }
            var pending: [PendingRevision] = []
            for revision in revisions {
                let incompleteRun = try await session.incompleteRun(of: revision)
                if incompleteRun != nil, try await session.isLockedByAnother() {
                    throw MigrationFailed("\(revision.id) is in progress: plan again when it has ended")
                }
                try await checkIncompleteRun(session, revision, revision.upgrade, .upgrade)
                let position = incompleteRun?.position ?? Position()
                let obstacle = try await session.obstacle(to: revision, in: graph)
                pending.append(PendingRevision(revision: revision, position: position, obstacle: obstacle))
            }
            return (versions, pending)
        }
    }
}
