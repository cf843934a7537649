import SQL

/// Rows in memory, for tests: they behave as in Postgres, and are gone with the process.
public actor InMemoryRepository<Row: Model>: Repository {
    private var rows: [Row] = []
    private var serial: Int64 = 0
    private let now: @Sendable () -> Timestamp

    /// Makes a repository that holds nothing; `now` is the clock.
    public init(now: @escaping @Sendable () -> Timestamp = { Timestamp(unixSeconds: 1_795_419_216) }) { self.now = now }

    public func all(_ select: Select<Row>, _: StaticString, _: UInt) -> [Row] { select.rows(of: rows) }

    public func count(_ select: Select<Row>, _: StaticString, _: UInt) -> Int { select.count(of: rows) }

    public func find(_ id: Row.ID, _: StaticString, _: UInt) -> Row? { index(of: id).map { rows[$0] } }

    public func insert(_ draft: Row.Draft, _ file: StaticString, _ line: UInt) throws -> Row {
        try insert(many: [draft], file, line)[0]
    }

    public func insert(many drafts: [Row.Draft], _: StaticString, _: UInt) throws -> [Row] {
        let new = try drafts.map { draft in
            serial += 1
            return try Row.table.create(draft.values, serial, now())
        }
        rows += new
        return new
    }

    public func update(_ id: Row.ID, _ values: [Assignment<Row>], _: StaticString, _: UInt) -> Row? {
        guard let index = index(of: id) else { return nil }
        for value in values { value.apply(&rows[index]) }
        return rows[index]
    }

    public func delete(_ id: Row.ID, _: StaticString, _: UInt) -> Row? { index(of: id).map { rows.remove(at: $0) } }

    private func index(of id: Row.ID) -> Int? { rows.firstIndex { $0[keyPath: Row.primaryKey.path] == id } }
}
