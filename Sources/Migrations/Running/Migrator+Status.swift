import Postgres

/// The state of each revision in a database.
public struct MigrationStatus: Hashable, Sendable {
    /// The state of a revision.
    public enum State: String, Sendable {
        /// `applied`: the revision is applied, and its file is unchanged. `pending`: the revision is not applied. In
        /// both states, no incomplete run of the revision is recorded.
        case applied, pending
        /// The revision is applied, but its file was changed since.
        case changed
        /// An incomplete run of the revision is recorded, and another session holds the migration lock.
        case running
        /// A run of the revision stopped after a commit, or in a statement whose effect is unknown.
        case halfway = "half-way"
    }

    /// A revision with its state.
    public struct Entry: Hashable, Sendable {
        /// The revision.
        public let revision: Revision
        /// The revision's state in the database.
        public let state: State
        /// Why the run of a half-way revision stopped; otherwise empty.
        public let detail: String
    }

    /// All revisions, in topological order.
    public let entries: [Entry]

    /// Whether at least one revision is in one of the given states.
    public func has(_ states: State...) -> Bool { entries.contains { states.contains($0.state) } }
}

extension Migrator {
    /// Reads the state of all revisions.
    /// - Throws: `PostgresError`, `RevisionGraph.GraphError`.
    public func status() async throws -> MigrationStatus {
        try await withSession { session in
            let applied = try applied(try await currentVersions(session))
            let changed = Set(try await session.changed(applied).map(\.id))
            let isRunning = try await session.isLockedByAnother()
            var entries: [MigrationStatus.Entry] = []
            for revision in graph.revisions {
                let incompleteRun = try await session.incompleteRun(of: revision)
                let isApplied = applied.contains { $0.id == revision.id }
                let state: MigrationStatus.State =
                    incompleteRun != nil
                    ? isRunning ? .running : .halfway
                    : changed.contains(revision.id) ? .changed : isApplied ? .applied : .pending
                let detail = isRunning ? "" : incompleteRun?.detail ?? ""
                entries.append(.init(revision: revision, state: state, detail: detail))
            }
            return MigrationStatus(entries: entries)
        }
    }
}
