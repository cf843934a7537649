import EventLoop
import ORM
import TestSupport

@testable import AktifyAPI

/// The in-memory or the Postgres repository, so that one test can run against both.
enum RepositoryKind: CaseIterable {
    case inMemory, postgres

    /// Runs `body` with an empty repository of this kind.
    func with(_ body: @escaping @Sendable (any Repository<Campaign>) async throws -> Void) throws {
        switch self {
        case .inMemory: try Loop.run { try await body(InMemoryRepository<Campaign>()) }
        case .postgres:
            let configuration = try migratedDatabase().configuration()
            try Loop.run { try await body(PostgresRepository<Campaign>(Database(configuration))) }
        }
    }
}
