import Postgres

/// Where a database stands, revision by revision.
public struct MigrationStatus: Hashable, Sendable {
    /// What has become of a revision.
    public enum State: String, Sendable {
        case applied, pending
        /// Its file was changed after it had been applied.
        case changed
        /// It is being carried out now.
        case running
        /// It stopped behind something that stays.
        case halfway = "half-way"
    }

    /// A revision, and what has become of it.
    public struct Entry: Hashable, Sendable {
        public let revision: Revision
        public let state: State
        /// What is known besides: how a half-way one failed.
        public let detail: String
    }

    /// All revisions, in the order in which they are applied.
    public let entries: [Entry]

    /// Whether a revision is in one of these states.
    public func has(_ states: State...) -> Bool { entries.contains { states.contains($0.state) } }
}

extension Migrator {
    /// Looks where the database stands.
    /// - Throws: `PostgresError`, `RevisionGraph.Broken`.
    public func status() async throws -> MigrationStatus {
        try await withSession { session in
            let applied = try applied(try await known(session))
            let changed = Set(try await session.changed(applied).map(\.id))
            let isRunning = try await session.isLockedByAnother()
            var entries: [MigrationStatus.Entry] = []
            for revision in graph.revisions {
                let halt = try await session.halt(of: revision)
                let isApplied = applied.contains { $0.id == revision.id }
                let state: MigrationStatus.State =
                    halt != nil
                    ? isRunning ? .running : .halfway
                    : changed.contains(revision.id) ? .changed : isApplied ? .applied : .pending
                let detail = isRunning ? "" : halt?.detail ?? ""
                entries.append(.init(revision: revision, state: state, detail: detail))
            }
            return MigrationStatus(entries: entries)
        }
    }
}
