import SQL

/// The tables of an application in memory, with the constraints that they have in Postgres.
public actor MemoryStore {
    private var tables: [String: any AnyMemoryTable] = [:]
    private var keys: [IdempotencyKey.Name: (request: [UInt8], rows: any Sendable)] = [:]
    private let now: @Sendable () -> Timestamp

    /// Makes a store that holds nothing; `now` is the clock.
    public init(now: @escaping @Sendable () -> Timestamp = { Timestamp(unixSeconds: 1_795_419_216) }) { self.now = now }

    private func table<Row: Model>(_: Row.Type) -> MemoryTable<Row> {
        let name = Row.definition.name
        if let table = tables[name] as? MemoryTable<Row> { return table }
        let table = MemoryTable<Row>()
        tables[name] = table
        return table
    }

    func with<Row: Model, Value: Sendable>(
        _: Row.Type, _ body: @Sendable (MemoryTable<Row>) throws -> Value
    ) rethrows -> Value {
        try body(table(Row.self))
    }

    func insert<Row: Model>(_ drafts: [Draft<Row>]) throws -> [Row] {
        let table = table(Row.self)
        let new = try drafts.map { draft in
            table.serial += 1
            return try Row.table.create(draft.values, table.serial, now())
        }
        try replace(in: table, with: table.rows + new, changed: new)
        return new
    }

    func insert<Row: Model>(_ drafts: [Draft<Row>], once key: IdempotencyKey) throws -> InsertedOnce<Row> {
        if let kept = keys[key.name] {
            guard kept.request == key.request, let rows = kept.rows as? [Row] else { return .usedForAnother }
            return .rows(rows)
        }
        let rows = try insert(drafts)
        keys[key.name] = (key.request, rows)
        return .rows(rows)
    }

    func update<Row: Model>(_ draft: Draft<Row>, where isMeant: @Sendable (Row) -> Bool) throws -> [Row] {
        let table = table(Row.self)
        var changed: [Row] = []
        let rows = table.rows.map { row in
            guard isMeant(row) else { return row }
            var row = row
            for column in Row.table.columns { column.update(&row, now: now()) }
            for value in draft.values { value.apply(&row, now()) }
            changed.append(row)
            return row
        }
        try replace(in: table, with: rows, changed: changed)
        return changed
    }

    func delete<Row: Model>(where isMeant: @Sendable (Row) -> Bool) throws -> [Row] {
        let table = table(Row.self)
        let gone = table.rows.filter(isMeant)
        for row in gone {
            guard let key = Row.primaryKey.bytes(in: row) else { continue }
            let reference = Row.definition.primaryKeyReference
            guard !tables.values.contains(where: { $0.refers(to: reference, key) }) else {
                throw ConstraintViolation(.referenced)
            }
        }
        table.rows.removeAll(where: isMeant)
        return gone
    }

    /// Puts rows in a table's place, if they meet its constraints.
    private func replace<Row: Model>(in table: MemoryTable<Row>, with rows: [Row], changed: [Row]) throws {
        for column in Row.table.columns {
            for row in changed where column.problem(in: row) != nil {
                throw ConstraintViolation(.check, column: column.definition.name)
            }
            try check(column, of: rows, changed: changed)
        }
        table.rows = rows
    }

    private func check<Row: Model>(_ column: any TableColumn<Row>, of rows: [Row], changed: [Row]) throws {
        let definition = column.definition
        if definition.isUnique || definition.isPrimaryKey {
            let values = rows.compactMap { column.bytes(in: $0) }
            guard Set(values).count == values.count else {
                throw ConstraintViolation(.duplicate, column: definition.name)
            }
        }
        guard let reference = definition.references else { return }
        for key in changed.compactMap({ column.bytes(in: $0) }) {
            let others = tables.values.first { $0.reference == reference }
            guard others?.hasKey(key) ?? false else {
                throw ConstraintViolation(.missingReference, column: definition.name)
            }
        }
    }
}

/// The rows of one model; it belongs to its store.
final class MemoryTable<Row: Model>: AnyMemoryTable {
    var rows: [Row] = []
    var serial: Int64 = 0

    func find(_ id: Row.ID) -> Row? { rows.first { $0[keyPath: Row.primaryKey.path] == id } }

    var reference: String { Row.definition.primaryKeyReference }

    func hasKey(_ key: [UInt8]) -> Bool { rows.contains { Row.primaryKey.bytes(in: $0) == key } }

    func refers(to reference: String, _ key: [UInt8]) -> Bool {
        Row.table.columns.contains { column in
            column.definition.references == reference && rows.contains { column.bytes(in: $0) == key }
        }
    }
}

/// A table, whatever its model is.
private protocol AnyMemoryTable: AnyObject {
    var reference: String { get }
    func hasKey(_ key: [UInt8]) -> Bool
    func refers(to reference: String, _ key: [UInt8]) -> Bool
}

extension IdempotencyKey {
    /// The key without the request.
    fileprivate struct Name: Hashable { let scope, key: String }
    fileprivate var name: Name { Name(scope: scope, key: key) }
}
