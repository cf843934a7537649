import SQL

/// Rows in Postgres: one statement each.
public struct PostgresRepository<Row: Model>: Repository {
    private let database: Database

    /// Makes a repository of a database's table.
    public init(_ database: Database) { self.database = database }

    public func all(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> [Row] {
        try await database.all(select, file, line)
    }

    public func count(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> Int {
        try await database.count(select, file, line)
    }

    public func find(_ id: Row.ID, _ file: StaticString, _ line: UInt) async throws -> Row? {
        try await database.find(Row.self, id, file, line)
    }

    public func insert(_ draft: Row.Draft, _ file: StaticString, _ line: UInt) async throws -> Row {
        try await database.insert(draft, file, line)
    }

    public func insert(many drafts: [Row.Draft], _ file: StaticString, _ line: UInt) async throws -> [Row] {
        try await database.insert(many: drafts, file, line)
    }

    public func update(
        _ id: Row.ID, _ values: [Assignment<Row>], _ file: StaticString, _ line: UInt
    ) async throws -> Row? {
        try await database.update(values, where: { _ in Row.primaryKey == id }, file, line).first
    }

    public func delete(_ id: Row.ID, _ file: StaticString, _ line: UInt) async throws -> Row? {
        try await database.delete(Row.self, where: { _ in Row.primaryKey == id }, file, line).first
    }
}
