import Postgres
import SQL

/// A repair of the migration history, or of an index that an interrupted `CREATE INDEX CONCURRENTLY` has left invalid.
public enum Repair: Hashable, Sendable, CustomStringConvertible {
    /// Records the current checksum of an applied revision whose file was changed.
    case accept(Revision)
    /// Clears the record of an incomplete run, so that the next run starts at the first statement.
    case clear(Revision, detail: String)
    /// Drops an invalid index.
    case drop(index: String)

    public var description: String {
        switch self {
        case .accept(let revision): "accept \(revision.file) as it is now"
        case .clear(let revision, let detail): "clear the progress of \(revision.id): \(detail)"
        case .drop(let index): "drop the invalid index \(index)"
        }
    }
}

extension Migrator {
    /// Returns the repairs that the database needs.
    /// - Throws: `PostgresError`, `RevisionGraph.GraphError`.
    public func repairs() async throws -> [Repair] {
        try await withSession { try await repairs($0) }
    }

    private func repairs(_ session: MigrationSession) async throws -> [Repair] {
        var repairs = try await session.changed(try applied(try await currentVersions(session))).map {
            Repair.accept($0)
        }
        for revision in graph.revisions {
            if let incompleteRun = try await session.incompleteRun(of: revision) {
                repairs.append(.clear(revision, detail: incompleteRun.detail))
            }
        }
        return repairs + (try await session.invalidIndexes().map { .drop(index: $0) })
    }

    /// Carries out those repairs that are still needed, under the migration lock. Repairs of the migration history are
    /// also recorded in the history.
    /// - Throws: `MigrationFailed`, `PostgresError`, `RevisionGraph.GraphError`.
    public func carryOut(_ repairs: [Repair]) async throws {
        try await withSession { session in
            try await session.lock(within: options.lockTimeout, log: log)
            try await session.makeTables()
            let present = try await self.repairs(session)
            for repair in repairs where present.contains(repair) {
                switch repair {
                case .accept(let revision): try await session.accept([revision])
                case .clear(let revision, let detail):
                    try await session.record(revision, "repair", since: .now, .cleared, detail: detail)
                case .drop(let index): try await session.runOutside("DROP INDEX CONCURRENTLY IF EXISTS \(index)")
                }
                log("Repaired: \(repair)")
            }
        }
    }
}
