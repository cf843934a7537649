import SQL

/// The tables of an application in memory, with the constraints that they have in Postgres.
public actor MemoryStore {
    private var tables: [String: any AnyMemoryTable] = [:]
    private var keys: [IdempotencyKey.Name: (request: [UInt8], rows: any Sendable)] = [:]
    private var lastChange: Int64 = 0
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

    /// Runs `body`, and records what it has changed, as the triggers do.
    private func recording<Value>(_ body: () throws -> Value) rethrows -> Value {
        let recorders = tables.values.map { $0.changeRecorder() }
        let value = try body()
        let (author, now) = (ChangeAuthor.current, now())
        for record in recorders {
            record { [self] in
                lastChange += 1
                return (lastChange, author, now)
            }
        }
        return value
    }

    func insert<Row: Model>(_ values: [ColumnValues<Row>]) throws -> [Row] {
        let table = table(Row.self)
        return try recording { try insert(values, into: table) }
    }

    private func insert<Row: Model>(_ values: [ColumnValues<Row>], into table: MemoryTable<Row>) throws -> [Row] {
        let new = try values.map { values in
            table.serial += 1
            return try Row.table.create(values.assignments, table.serial, now())
        }
        try replace(in: table, with: table.rows + new, changed: new, areNew: true)
        return new
    }

    func insert<Row: Model>(_ values: [ColumnValues<Row>], once key: IdempotencyKey) throws -> InsertedOnce<Row> {
        if let kept = keys[key.name] {
            guard kept.request == key.request, let rows = kept.rows as? [Row] else { return .usedForAnother }
            return .rows(rows)
        }
        let rows = try insert(values)
        keys[key.name] = (key.request, rows)
        return .rows(rows)
    }

    func update<Row: Model>(_ values: ColumnValues<Row>, where isMeant: @Sendable (Row) -> Bool) throws -> [Row] {
        let table = table(Row.self)
        return try recording { try update(values, where: isMeant, in: table) }
    }

    private func update<Row: Model>(
        _ values: ColumnValues<Row>, where isMeant: @Sendable (Row) -> Bool, in table: MemoryTable<Row>
    ) throws -> [Row] {
        var changed: [Row] = []
        let rows = table.rows.map { row in
            guard isMeant(row) else { return row }
            var row = row
            for column in Row.table.columns { column.update(&row, now: now()) }
            for value in values.assignments { value.apply(&row, now()) }
            changed.append(row)
            return row
        }
        try replace(in: table, with: rows, changed: changed, areNew: false)
        return changed
    }

    func delete<Row: Model>(where isMeant: @Sendable (Row) -> Bool) throws -> [Row] {
        let table = table(Row.self)
        return try recording { try delete(where: isMeant, in: table) }
    }

    private func delete<Row: Model>(
        where isMeant: @Sendable (Row) -> Bool, in table: MemoryTable<Row>
    ) throws -> [Row] {
        let undo = tables.values.map { $0.savepoint() }
        let gone = table.rows.filter(isMeant)
        table.rows.removeAll(where: isMeant)
        do { try cascade(DeletedRows(gone)) } catch {
            for restore in undo { restore() }
            throw error
        }
        return gone
    }

    /// Carries out the ON DELETE actions of all tables for deleted rows.
    private func cascade(_ gone: DeletedRows) throws {
        var pending = [gone]
        var all: [DeletedRows] = []
        while let next = pending.popLast() {
            guard !next.keys.isEmpty else { continue }
            pending += tables.values.map { $0.cascade(next) }
            all.append(next)
        }
        // At the end, as NO ACTION does: a row that refers to a row which went with it is no obstacle.
        for gone in all where tables.values.contains(where: { $0.refers(to: gone) }) {
            throw ConstraintViolation(.referenced)
        }
    }

    /// Puts rows in a table's place, if they meet its constraints.
    private func replace<Row: Model>(
        in table: MemoryTable<Row>, with rows: [Row], changed: [Row], areNew: Bool
    ) throws {
        for column in Row.table.columns {
            let name = column.definition.name
            if let index = changed.firstIndex(where: { column.problem(in: $0) != nil }) {
                throw ConstraintViolation(.check, column: name, index: areNew ? index : nil)
            }
            guard let (kind, value) = violation(of: column, rows: rows, changed: changed) else { continue }
            let index = changed.lastIndex { column.bytes(in: $0) == value }
            throw ConstraintViolation(kind, column: name, index: areNew ? index : nil)
        }
        table.rows = rows
    }

    /// The first value of changed rows that another row has, or that no row has which it must refer to.
    private func violation<Row: Model>(
        of column: any TableColumn<Row>, rows: [Row], changed: [Row]
    ) -> (ConstraintViolation.Kind, value: [UInt8])? {
        let values = changed.compactMap { column.bytes(in: $0) }
        if column.definition.isUnique || column.definition.isPrimaryKey {
            var counts: [[UInt8]: Int] = [:]
            for row in rows { if let value = column.bytes(in: row) { counts[value, default: 0] += 1 } }
            if let value = values.first(where: { counts[$0, default: 0] > 1 }) { return (.duplicate, value) }
        }
        guard let reference = column.definition.references else { return nil }
        // Rows may refer to others that come with them.
        if reference == Row.definition.primaryKeyReference {
            let keys = Set(rows.compactMap { Row.primaryKey.bytes(in: $0) })
            return values.first { !keys.contains($0) }.map { (.missingReference, $0) }
        }
        let others = tables.values.first { $0.reference == reference }
        return values.first { !(others?.hasKey($0) ?? false) }.map { (.missingReference, $0) }
    }
}

/// The rows of one model; it belongs to its store.
final class MemoryTable<Row: Model>: AnyMemoryTable {
    var rows: [Row] = []
    var serial: Int64 = 0
    /// Those that were recorded, in order.
    private(set) var changes: [ChangeRecord<Row>] = []

    func find(_ id: Row.ID) -> Row? { rows.first { $0[keyPath: Row.primaryKey.path] == id } }

    var reference: String { Row.definition.primaryKeyReference }

    func hasKey(_ key: [UInt8]) -> Bool { rows.contains { Row.primaryKey.bytes(in: $0) == key } }

    func savepoint() -> () -> Void {
        { [self, rows] in self.rows = rows }
    }

    func changeRecorder() -> (() -> (Int64, ChangeAuthor?, Timestamp)) -> Void {
        { [self, former = rows] next in
            guard Row.definition.recordsChanges else { return }
            for change in Self.changes(from: former, to: rows) {
                let (id, author, now) = next()
                changes.append(
                    ChangeRecord(
                        id: id, operation: change.operation, author: author == nil ? "role:memory" : author?.name,
                        requestID: author?.requestID, changedOn: now, before: change.before, after: change.after,
                        hasEarlier: change.operation != .insert))
            }
        }
    }

    private typealias Change = (operation: ChangeOperation, before: Row?, after: Row?)

    private static func changes(from former: [Row], to latter: [Row]) -> [Change] {
        let (key, columns) = (Row.primaryKey.path, Row.table.columns)
        let old = Dictionary(uniqueKeysWithValues: former.map { ($0[keyPath: key], $0) })
        let kept = Set(latter.map { $0[keyPath: key] })
        let gone = former.filter { !kept.contains($0[keyPath: key]) }.map {
            (ChangeOperation.delete, $0, nil) as Change
        }
        return gone
            + latter.compactMap { row in
                guard let before = old[row[keyPath: key]] else { return (.insert, nil, row) }
                let isSame = columns.allSatisfy { $0.bytes(in: before) == $0.bytes(in: row) }
                return isSame ? nil : (.update, before, row)
            }
    }

    func refers(to gone: DeletedRows) -> Bool {
        columns(to: gone).contains { column in rows.contains { gone.has(column.bytes(in: $0)) } }
    }

    func cascade(_ gone: DeletedRows) -> DeletedRows {
        var lost: [Row] = []
        for column in columns(to: gone) {
            switch column.definition.onDelete {
            case .refuse: continue
            case .cascade:
                lost += rows.filter { gone.has(column.bytes(in: $0)) }
                rows.removeAll { gone.has(column.bytes(in: $0)) }
            case .setNull:
                for index in rows.indices where gone.has(column.bytes(in: rows[index])) { column.clear(&rows[index]) }
            }
        }
        return DeletedRows(lost)
    }

    private func columns(to gone: DeletedRows) -> [any TableColumn<Row>] {
        Row.table.columns.filter { $0.definition.references == gone.reference }
    }
}

/// A table, whatever its model is.
private protocol AnyMemoryTable: AnyObject {
    var reference: String { get }
    func hasKey(_ key: [UInt8]) -> Bool
    /// A closure that rolls the table back to the rows that it has now.
    func savepoint() -> () -> Void
    /// Carries out the ON DELETE actions of this table's columns.
    /// - Returns: the rows of this table that were deleted.
    func cascade(_ gone: DeletedRows) -> DeletedRows
    func refers(to gone: DeletedRows) -> Bool
    /// A closure that records how the rows differ then from those that the table has now.
    func changeRecorder() -> (() -> (Int64, ChangeAuthor?, Timestamp)) -> Void
}

/// Rows of one table that were deleted.
struct DeletedRows {
    /// The column that others refer to: `campaign (id)`.
    let reference: String
    let keys: Set<[UInt8]>

    init<Row: Model>(_ rows: [Row]) {
        reference = Row.definition.primaryKeyReference
        keys = Set(rows.compactMap { Row.primaryKey.bytes(in: $0) })
    }

    func has(_ key: [UInt8]?) -> Bool { key.map(keys.contains) ?? false }
}

extension IdempotencyKey {
    /// The key without the request.
    fileprivate struct Name: Hashable { let scope, key: String }
    fileprivate var name: Name { Name(scope: scope, key: key) }
}
