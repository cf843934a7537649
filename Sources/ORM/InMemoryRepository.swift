import SQL

/// A repository in memory, for tests. The repository behaves like one in Postgres, including constraints, but the rows
/// are not persisted, and CHECK constraints that are given as SQL (`Rule.check`) are not enforced.
public struct InMemoryRepository<Row: Model>: Repository {
    private let store: MemoryStore

    /// Creates a repository in a store, which other repositories may share. The default is a separate store.
    public init(in store: MemoryStore = MemoryStore()) { self.store = store }

    public func all(_ select: Select<Row>, _: StaticString, _: UInt) async -> [Row] {
        await store.with(Row.self) { select.rows(of: $0.rows) }
    }

    public func stream(
        _ select: Select<Row>, _ file: StaticString, _ line: UInt, _ body: ([Row]) async throws -> Void
    ) async throws {
        let rows = await all(select, file, line)
        if !rows.isEmpty { try await body(rows) }
    }

    public func count(_ select: Select<Row>, _: StaticString, _: UInt) async -> Int {
        await store.with(Row.self) { select.count(of: $0.rows) }
    }

    public func find(_ id: Row.ID, _: StaticString, _: UInt) async -> Row? {
        await store.with(Row.self) { $0.find(id) }
    }

    public func insert(many values: [ColumnValues<Row>], _: StaticString, _: UInt) async throws -> [Row] {
        try await store.insert(values)
    }

    public func insert(
        many values: [ColumnValues<Row>], once key: IdempotencyKey, _: StaticString, _: UInt
    ) async throws -> InsertedOnce<Row> {
        try await store.insert(values, once: key)
    }

    public func update(
        _ id: Row.ID, _ values: ColumnValues<Row>, if requirement: Condition<Row>?, _: StaticString, _: UInt
    ) async throws -> Guarded<Row> {
        try await store.change(id, if: requirement) { store, row in
            guard !values.assignments.isEmpty else { return row }
            return try store.update(values, where: (Row.primaryKey == id).matches).first
        }
    }

    public func delete(
        _ id: Row.ID, if requirement: Condition<Row>?, _: StaticString, _: UInt
    ) async throws -> Guarded<Row> {
        try await store.change(id, if: requirement) { store, _ in
            try store.delete(where: (Row.primaryKey == id).matches).first
        }
    }

    public func update(
        all select: Select<Row>, _ values: ColumnValues<Row>, _: StaticString, _: UInt
    ) async throws -> Int {
        guard !values.assignments.isEmpty else { return await store.with(Row.self) { select.count(of: $0.rows) } }
        return try await store.update(values, where: select.contains).count
    }

    public func delete(all select: Select<Row>, _: StaticString, _: UInt) async throws -> Int {
        try await store.delete(where: select.contains).count
    }

    public func history(
        of id: Row.ID, before position: Int64, limit: Int, _: StaticString, _: UInt
    ) async -> [ChangeRecord<Row>] {
        await store.with(Row.self) { table in
            let changes = table.changes.filter { record in
                let row = record.after ?? record.before
                return record.id < position && row?[keyPath: Row.primaryKey.path] == id
            }
            return changes.reversed().prefix(limit).map { change in
                var change = change
                change.hasEarlier = change.id != changes.first?.id
                return change
            }
        }
    }
}
