import SQL

/// The repositories of an application, all with the same storage: Postgres, or memory.
public struct Repositories: Sendable {
    private enum Storage: Sendable {
        case postgres(Database)
        case memory(MemoryStore)
    }

    private let storage: Storage

    /// Creates the repositories of an application in a Postgres database.
    public static func postgres(_ database: Database) -> Self { Self(storage: .postgres(database)) }

    /// Creates the repositories of an application in memory, for tests.
    public static func inMemory(_ store: MemoryStore = MemoryStore()) -> Self { Self(storage: .memory(store)) }

    /// Returns the repository of a model.
    public func of<Row: Model>(_: Row.Type = Row.self) -> any Repository<Row> {
        switch storage {
        case .postgres(let database): PostgresRepository<Row>(database)
        case .memory(let store): InMemoryRepository<Row>(in: store)
        }
    }
}
