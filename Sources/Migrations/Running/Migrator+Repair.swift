import Postgres
import SQL

/// A repair of the migration history, or of an index that an interrupted `CREATE INDEX CONCURRENTLY` has left invalid.
public enum Repair: Hashable, Sendable, CustomStringConvertible {
    /// The file of an applied revision was changed: its checksum is taken anew.
    case accept(Revision)
    /// A revision stopped behind something that stays: that is forgotten, and it begins at its first statement.
    case clear(Revision, detail: String)
    /// An index that could not be built is dropped.
    case drop(index: String)

    public var description: String {
        switch self {
        case .accept(let revision): "accept \(revision.file) as it is now"
        case .clear(let revision, let detail): "forget what was done of \(revision.id): \(detail)"
        case .drop(let index): "drop the invalid index \(index)"
        }
    }
}

extension Migrator {
    /// The repairs that are due.
    /// - Throws: `PostgresError`, `RevisionGraph.Broken`.
    public func repairs() async throws -> [Repair] {
        try await withSession { try await repairs($0) }
    }

    private func repairs(_ session: MigrationSession) async throws -> [Repair] {
        var repairs = try await session.changed(try applied(try await known(session))).map { Repair.accept($0) }
        for revision in graph.revisions {
            if let halt = try await session.halt(of: revision) { repairs.append(.clear(revision, detail: halt.detail)) }
        }
        return repairs + (try await session.invalidIndexes().map { .drop(index: $0) })
    }

    /// Carries out repairs under the lock, those that are still due; each of the history is recorded in it.
    /// - Throws: `MigrationFailed`, `PostgresError`, `RevisionGraph.Broken`.
    public func carryOut(_ repairs: [Repair]) async throws {
        try await withSession { session in
            try await session.lock(within: options.lockTimeout, log: log)
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
