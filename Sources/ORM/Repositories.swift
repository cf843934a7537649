import SQL

/// Makes the repositories of an application, all in one place: Postgres, or memory.
public struct Repositories: Sendable {
    private enum Place: Sendable {
        case postgres(Database)
        case memory(MemoryStore)
    }

    private let place: Place

    /// Tables of a database.
    public static func postgres(_ database: Database) -> Self { Self(place: .postgres(database)) }

    /// Tables in memory, for tests.
    public static func inMemory(_ store: MemoryStore = MemoryStore()) -> Self { Self(place: .memory(store)) }

    /// The repository of a model.
    public func of<Row: Model>(_: Row.Type = Row.self) -> any Repository<Row> {
        switch place {
        case .postgres(let database): PostgresRepository<Row>(database)
        case .memory(let store): InMemoryRepository<Row>(in: store)
        }
    }
}
