import SQL

/// A store in memory for the tables of an application, with the constraints that the tables have in Postgres, except
/// CHECK constraints that are given as SQL (`Rule.check`).
public actor MemoryStore {
    private var tables: [String: any AnyMemoryTable] = [:]
    private var keys: [IdempotencyKey.Name: (request: [UInt8], rows: any Sendable)] = [:]
    private var lastChange: Int64 = 0
    private let now: @Sendable () -> Timestamp

    /// Creates an empty store. `now` returns the current time; by default, the time is fixed.
    public init(now: @escaping @Sendable () -> Timestamp = { Timestamp(unixSeconds: 1_795_419_216) }) { self.now = now }

    private func table<Row: Model>(_: Row.Type) -> MemoryTable<Row> {
        let name = Row.definition.name
        if let table = tables[name] as? MemoryTable<Row> { return table }
        let table = MemoryTable<Row>()
        tables[name] = table
        return table
    }

    /// Calls `body` with the table of a model.
    func with<Row: Model, Value: Sendable>(
        _: Row.Type, _ body: @Sendable (MemoryTable<Row>) throws -> Value
    ) rethrows -> Value {
        try body(table(Row.self))
    }

    /// Runs `body`, and adds a change record for each row that `body` changed in a table that records changes. In
    /// Postgres, triggers do this.
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
        try replace(in: table, with: table.rows + new, changed: new, isInsert: true)
        return new
    }

    func insert<Row: Model>(_ values: [ColumnValues<Row>], once key: IdempotencyKey) throws -> InsertedOnce<Row> {
        guard !values.isEmpty else { return .rows([]) }
        if let stored = keys[key.name] {
            guard stored.request == key.request, let rows = stored.rows as? [Row] else { return .usedForAnother }
            return .rows(rows)
        }
        let rows = try insert(values)
        keys[key.name] = (key.request, rows)
        return .rows(rows)
    }

    /// Calls `body` with the row with a primary key if the row matches a requirement. No other task changes the row in
    /// between.
    /// - Parameter body: Changes the row and returns it.
    func change<Row: Model>(
        _ id: Row.ID, if requirement: Condition<Row>?, _ body: @Sendable (isolated MemoryStore, Row) throws -> Row?
    ) rethrows -> Guarded<Row> {
        guard let row = table(Row.self).find(id) else { return .missing }
        guard requirement?.matches(row) ?? true else { return .refused(row) }
        return try body(self, row).map { .done($0) } ?? .missing
    }

    func update<Row: Model>(_ values: ColumnValues<Row>, where predicate: @Sendable (Row) -> Bool) throws -> [Row] {
        let table = table(Row.self)
        return try recording { try update(values, where: predicate, in: table) }
    }

    private func update<Row: Model>(
        _ values: ColumnValues<Row>, where predicate: @Sendable (Row) -> Bool, in table: MemoryTable<Row>
    ) throws -> [Row] {
        var changed: [Row] = []
        let rows = table.rows.map { row in
            guard predicate(row) else { return row }
            var row = row
            for column in Row.table.columns { column.update(&row, now: now()) }
            for value in values.assignments { value.apply(&row, now()) }
            changed.append(row)
            return row
        }
        try replace(in: table, with: rows, changed: changed, isInsert: false)
        return changed
    }

    func delete<Row: Model>(where predicate: @Sendable (Row) -> Bool) throws -> [Row] {
        let table = table(Row.self)
        return try recording { try delete(where: predicate, in: table) }
    }

    private func delete<Row: Model>(
        where predicate: @Sendable (Row) -> Bool, in table: MemoryTable<Row>
    ) throws -> [Row] {
        let savepoints = tables.values.map { $0.savepoint() }
        let deleted = table.rows.filter(predicate)
        table.rows.removeAll(where: predicate)
        do { try cascade(DeletedRows(deleted)) } catch {
            for restore in savepoints { restore() }
            throw error
        }
        return deleted
    }

    /// Performs the ON DELETE actions of all tables for deleted rows, and for the rows that are deleted by these
    /// actions.
    /// - Throws: `ConstraintViolation` if a deleted row is still referenced.
    private func cascade(_ deleted: DeletedRows) throws {
        var pending = [deleted]
        var all: [DeletedRows] = []
        while let next = pending.popLast() {
            guard !next.keys.isEmpty else { continue }
            pending += tables.values.map { $0.cascade(next) }
            all.append(next)
        }
        // At the end, like NO ACTION: references from rows that were deleted along with the referenced row are
        // permitted.
        for deleted in all where tables.values.contains(where: { $0.refers(to: deleted) }) {
            throw ConstraintViolation(.referenced)
        }
    }

    /// Replaces the rows of a table if the new rows satisfy the table's constraints.
    /// - Parameters:
    ///   - table: The table.
    ///   - rows: All rows that the table is to have.
    ///   - changed: Those of `rows` that are inserted or changed.
    ///   - isInsert: Whether the rows in `changed` are inserted.
    /// - Throws: `ConstraintViolation`.
    private func replace<Row: Model>(
        in table: MemoryTable<Row>, with rows: [Row], changed: [Row], isInsert: Bool
    ) throws {
        for column in Row.table.columns {
            let name = column.definition.name
            if let index = changed.firstIndex(where: { column.problem(in: $0) != nil }) {
                throw ConstraintViolation(.check, column: name, index: isInsert ? index : nil)
            }
            guard let (kind, value) = violation(of: column, rows: rows, changed: changed) else { continue }
            let index = changed.lastIndex { column.bytes(in: $0) == value }
            throw ConstraintViolation(kind, column: name, index: isInsert ? index : nil)
        }
        table.rows = rows
    }

    /// Returns the first value of the changed rows that violates the column's uniqueness or foreign key, with the kind
    /// of violation; `nil` if there is none.
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
        // Rows may reference other rows that are inserted with them.
        if reference == Row.definition.primaryKeyReference {
            let keys = Set(rows.compactMap { Row.primaryKey.bytes(in: $0) })
            return values.first { !keys.contains($0) }.map { (.missingReference, $0) }
        }
        let others = tables.values.first { $0.reference == reference }
        return values.first { !(others?.hasKey($0) ?? false) }.map { (.missingReference, $0) }
    }
}

/// The rows of one model, isolated by the store (an actor) that contains them.
final class MemoryTable<Row: Model>: AnyMemoryTable {
    var rows: [Row] = []
    /// The last value of the table's sequence.
    var serial: Int64 = 0
    /// The recorded changes, the earliest first.
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
        let remaining = Set(latter.map { $0[keyPath: key] })
        let deleted = former.filter { !remaining.contains($0[keyPath: key]) }.map {
            (ChangeOperation.delete, $0, nil) as Change
        }
        return deleted
            + latter.compactMap { row in
                guard let before = old[row[keyPath: key]] else { return (.insert, nil, row) }
                let isSame = columns.allSatisfy { $0.bytes(in: before) == $0.bytes(in: row) }
                return isSame ? nil : (.update, before, row)
            }
    }

    func refers(to deleted: DeletedRows) -> Bool {
        columns(to: deleted).contains { column in rows.contains { deleted.has(column.bytes(in: $0)) } }
    }

    func cascade(_ deleted: DeletedRows) -> DeletedRows {
        var cascaded: [Row] = []
        for column in columns(to: deleted) {
            switch column.definition.onDelete {
            case .refuse: continue
            case .cascade:
                cascaded += rows.filter { deleted.has(column.bytes(in: $0)) }
                rows.removeAll { deleted.has(column.bytes(in: $0)) }
            case .setNull:
                for index in rows.indices where deleted.has(column.bytes(in: rows[index])) {
                    column.clear(&rows[index])
                }
            }
        }
        return DeletedRows(cascaded)
    }

    private func columns(to deleted: DeletedRows) -> [any TableColumn<Row>] {
        Row.table.columns.filter { $0.definition.references == deleted.reference }
    }
}

/// A table in memory whose model type is erased.
private protocol AnyMemoryTable: AnyObject {
    /// The table and its primary key as in a REFERENCES clause: `campaign (id)`.
    var reference: String { get }
    /// Whether a row has this primary key, given in binary form.
    func hasKey(_ key: [UInt8]) -> Bool
    /// Returns a closure that resets the table to the rows at the time of this call.
    func savepoint() -> () -> Void
    /// Performs the ON DELETE actions of this table's columns that reference the deleted rows.
    /// - Returns: The rows of this table that were deleted.
    func cascade(_ deleted: DeletedRows) -> DeletedRows
    /// Whether a row still references one of the deleted rows.
    func refers(to deleted: DeletedRows) -> Bool
    /// Returns a closure that records the changes of the table between this call and the call of the closure. The
    /// closure's argument provides the id, author and time of each change record.
    func changeRecorder() -> (() -> (Int64, ChangeAuthor?, Timestamp)) -> Void
}

/// Rows of one table that were deleted.
struct DeletedRows {
    /// The table and its primary key as in a REFERENCES clause: `campaign (id)`.
    let reference: String
    /// The primary keys of the deleted rows, in binary form.
    let keys: Set<[UInt8]>

    init<Row: Model>(_ rows: [Row]) {
        reference = Row.definition.primaryKeyReference
        keys = Set(rows.compactMap { Row.primaryKey.bytes(in: $0) })
    }

    func has(_ key: [UInt8]?) -> Bool { key.map(keys.contains) ?? false }
}

extension IdempotencyKey {
    /// The part of the idempotency key under which rows are stored: the scope and the key, without the request.
    fileprivate struct Name: Hashable { let scope, key: String }
    fileprivate var name: Name { Name(scope: scope, key: key) }
}
