import SQL

/// The storage of one model's rows: a table in Postgres, or memory. The same tests run against both implementations.
///
/// The call site, `file` and `line`, is passed with each call so that a statement can be traced to the use case that
/// sent it; callers omit both arguments. A write that violates a constraint of the table throws `ConstraintViolation`.
public protocol Repository<Row>: Sendable {
    /// The model of the rows.
    associatedtype Row: Model

    /// Returns the selected rows.
    func all(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> [Row]

    /// Calls `body` with the selected rows in chunks. All chunks are from one snapshot, and memory usage does not
    /// depend on the number of rows.
    func stream(
        _ select: Select<Row>, _ file: StaticString, _ line: UInt, _ body: ([Row]) async throws -> Void
    ) async throws

    /// Returns the number of rows that match the query's condition; the limit is ignored.
    func count(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> Int

    /// Returns the row with a primary key; `nil` if there is no such row.
    func find(_ id: Row.ID, _ file: StaticString, _ line: UInt) async throws -> Row?

    /// Inserts rows atomically and returns them in the same order.
    func insert(many values: [ColumnValues<Row>], _ file: StaticString, _ line: UInt) async throws -> [Row]

    /// Inserts rows atomically and at most once per idempotency key: a repeated call returns the rows of the first
    /// call.
    func insert(
        many values: [ColumnValues<Row>], once key: IdempotencyKey, _ file: StaticString, _ line: UInt
    ) async throws -> InsertedOnce<Row>

    /// Updates the row with a primary key if the row matches a requirement.
    func update(
        _ id: Row.ID, _ values: ColumnValues<Row>, if requirement: Condition<Row>?, _ file: StaticString, _ line: UInt
    ) async throws -> Guarded<Row>

    /// Deletes the row with a primary key if the row matches a requirement.
    func delete(
        _ id: Row.ID, if requirement: Condition<Row>?, _ file: StaticString, _ line: UInt
    ) async throws -> Guarded<Row>

    /// Updates all rows that match the query's condition; order and limit are ignored.
    /// - Returns: The number of updated rows.
    func update(
        all select: Select<Row>, _ values: ColumnValues<Row>, _ file: StaticString, _ line: UInt
    ) async throws -> Int

    /// Deletes all rows that match the query's condition; order and limit are ignored.
    /// - Returns: The number of deleted rows.
    func delete(all select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> Int

    /// Returns the recorded changes of a row, the latest first; none if the table does not record changes.
    /// - Parameters:
    ///   - id: The row's primary key.
    ///   - position: The id of a change record; only earlier changes are returned.
    ///   - limit: The maximum number of changes. Fewer may be returned if the rows are large.
    func history(
        of id: Row.ID, before position: Int64, limit: Int, _ file: StaticString, _ line: UInt
    ) async throws -> [ChangeRecord<Row>]
}

/// The outcome of an update or deletion of one row, with or without a requirement.
public enum Guarded<Row: Sendable>: Sendable {
    /// The change was made. The value is the row in its new state, or the deleted row.
    case done(Row)
    /// The change was not made, because the row does not match the requirement. The value is the existing row.
    case refused(Row)
    /// The row does not exist.
    case missing

    /// The changed or deleted row; `nil` if the change was not made.
    public var row: Row? { if case .done(let row) = self { row } else { nil } }
}

/// The outcome of an insertion with an idempotency key.
public enum InsertedOnce<Row: Sendable>: Sendable {
    /// The rows that were inserted, either now or when the key was first used.
    case rows([Row])
    /// The key was used before, for a different request; nothing was inserted.
    case usedForAnother
    /// Another request is using the key at the moment; nothing was inserted.
    case inUse
}

extension Repository {
    /// Returns the selected rows.
    public func all(_ select: Select<Row>, file: StaticString = #fileID, line: UInt = #line) async throws -> [Row] {
        try await all(select, file, line)
    }

    /// Returns the number of rows that match the query's condition; the limit is ignored.
    public func count(_ select: Select<Row>, file: StaticString = #fileID, line: UInt = #line) async throws -> Int {
        try await count(select, file, line)
    }

    /// Returns the row with a primary key; `nil` if there is no such row.
    public func find(_ id: Row.ID, file: StaticString = #fileID, line: UInt = #line) async throws -> Row? {
        try await find(id, file, line)
    }

    /// Inserts a row and returns it. The primary key is the column's default unless a value is given.
    public func insert(_ values: ColumnValues<Row>, file: StaticString = #fileID, line: UInt = #line) async throws
        -> Row
    {
        try await insert(many: [values], file, line)[0]
    }

    /// Inserts rows atomically and returns them in the same order.
    public func insert(
        many values: [ColumnValues<Row>], file: StaticString = #fileID, line: UInt = #line
    ) async throws -> [Row] {
        try await insert(many: values, file, line)
    }

    /// Updates the row with a primary key.
    /// - Returns: The row in its new state; `nil` if there is no such row.
    public func update(
        _ id: Row.ID, _ values: ColumnValues<Row>, file: StaticString = #fileID, line: UInt = #line
    ) async throws -> Row? {
        try await update(id, values, if: nil, file, line).row
    }

    /// Deletes the row with a primary key.
    /// - Returns: The deleted row; `nil` if there is no such row.
    @discardableResult
    public func delete(_ id: Row.ID, file: StaticString = #fileID, line: UInt = #line) async throws -> Row? {
        try await delete(id, if: nil, file, line).row
    }
}
