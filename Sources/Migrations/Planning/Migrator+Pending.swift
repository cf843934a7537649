import Postgres

/// A revision that an upgrade would carry out.
struct PendingRevision {
    let revision: Revision
    /// Where it begins: behind what an earlier run has done.
    let place: Place
    /// Why it would be refused now; `nil` when it would not.
    let obstacle: String?

    /// What is left of it, those statements together that are one transaction.
    var segments: [[Revision.Statement]] {
        Array(revision.upgrade.statements.dropFirst(place.statements)).transactions(without: \.isOutside)
    }

    /// Where it goes on; `nil` when nothing of it is done.
    var resumption: PlannedResumption? {
        guard !place.isStart else { return nil }
        return PlannedResumption(line: segments.first?.first?.line, key: place.key, rows: place.rows)
    }
}

extension Migrator {
    /// Where the database stands, and what an upgrade to a target would carry out.
    /// - Throws: `MigrationFailed` when the upgrade would refuse to go on with what is half done, `RevisionGraph.Broken`, `PostgresError`.
    func pending(to target: String) async throws -> (versions: Set<String>, revisions: [PendingRevision]) {
        try await withSession { session in
            let versions = try await known(session)
            let revisions = try graph.upgradePlan(to: target, from: versions)
            for revision in revisions.isEmpty ? [] : try applied(versions) {
                try await checkHalt(session, revision, revision.downgrade, .upgrade)
            }
            var pending: [PendingRevision] = []
            for revision in revisions {
                let halt = try await session.halt(of: revision)
                if halt != nil, try await session.isLockedByAnother() {
                    throw MigrationFailed("\(revision.id) is being carried out now: plan again when that has ended")
                }
                try await checkHalt(session, revision, revision.upgrade, .upgrade)
                let place = halt?.place ?? Place()
                let obstacle = try await session.obstacle(to: revision, in: graph)
                pending.append(PendingRevision(revision: revision, place: place, obstacle: obstacle))
            }
            return (versions, pending)
        }
    }
}
