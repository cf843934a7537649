import SQL

/// Where the rows of one model are kept: a table, or memory. What both can do is tested on both.
///
/// The place in the code, `file` and `line`, goes along with each call, so that a statement can be traced to the use case that
/// sent it; callers leave it out. What is written must meet the table's constraints: else `ConstraintViolation` is thrown.
public protocol Repository<Row>: Sendable {
    /// The model.
    associatedtype Row: Model

    /// The rows that are selected.
    func all(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> [Row]

    /// Hands the rows that are selected to `body` in chunks, of one snapshot, in constant memory.
    func stream(
        _ select: Select<Row>, _ file: StaticString, _ line: UInt, _ body: ([Row]) async throws -> Void
    ) async throws

    /// How many rows are selected, whatever the limit.
    func count(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> Int

    /// The row with this key, if there is one.
    func find(_ id: Row.ID, _ file: StaticString, _ line: UInt) async throws -> Row?

    /// Keeps new rows, all or none of them, in order.
    func insert(many values: [ColumnValues<Row>], _ file: StaticString, _ line: UInt) async throws -> [Row]

    /// Keeps new rows, all or none of them, once for each key: who comes again gets the first rows.
    func insert(
        many values: [ColumnValues<Row>], once key: IdempotencyKey, _ file: StaticString, _ line: UInt
    ) async throws -> InsertedOnce<Row>

    /// Gives a row these values, if it meets a requirement.
    func update(
        _ id: Row.ID, _ values: ColumnValues<Row>, if requirement: Condition<Row>?, _ file: StaticString, _ line: UInt
    ) async throws -> Guarded<Row>

    /// Deletes a row, if it meets a requirement.
    func delete(
        _ id: Row.ID, if requirement: Condition<Row>?, _ file: StaticString, _ line: UInt
    ) async throws -> Guarded<Row>

    /// Gives all rows that are selected these values; order and limit do not matter.
    /// - Returns: how many there are.
    func update(
        all select: Select<Row>, _ values: ColumnValues<Row>, _ file: StaticString, _ line: UInt
    ) async throws -> Int

    /// Deletes all rows that are selected; order and limit do not matter.
    /// - Returns: how many there were.
    func delete(all select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> Int

    /// The changes of a row before one of them, the latest first: `limit` of them at most, fewer when the rows are large, and none where the
    /// table does not record changes.
    func history(
        of id: Row.ID, before position: Int64, limit: Int, _ file: StaticString, _ line: UInt
    ) async throws -> [ChangeRecord<Row>]
}

/// What became of a change to one row.
public enum Guarded<Row: Sendable>: Sendable {
    /// It was made: the row as it is now, or was before it was deleted.
    case done(Row)
    /// It was not made: the row does not meet the requirement.
    case refused(Row)
    /// There is no such row.
    case missing

    /// The row, when the change was made.
    public var row: Row? { if case .done(let row) = self { row } else { nil } }
}

/// What became of rows that were to be inserted once.
public enum InsertedOnce<Row: Sendable>: Sendable {
    /// They are there: inserted now, or when the key was used first.
    case rows([Row])
    /// The key was used for another request.
    case usedForAnother
    /// The key is being used just now.
    case inUse
}

extension Repository {
    /// The rows that are selected.
    public func all(_ select: Select<Row>, file: StaticString = #fileID, line: UInt = #line) async throws -> [Row] {
        try await all(select, file, line)
    }

    /// How many rows are selected, whatever the limit.
    public func count(_ select: Select<Row>, file: StaticString = #fileID, line: UInt = #line) async throws -> Int {
        try await count(select, file, line)
    }

    /// The row with this key, if there is one.
    public func find(_ id: Row.ID, file: StaticString = #fileID, line: UInt = #line) async throws -> Row? {
        try await find(id, file, line)
    }

    /// Keeps a new row, under a key of its own.
    public func insert(_ values: ColumnValues<Row>, file: StaticString = #fileID, line: UInt = #line) async throws -> Row {
        try await insert(many: [values], file, line)[0]
    }

    /// Keeps new rows, all or none of them.
    public func insert(
        many values: [ColumnValues<Row>], file: StaticString = #fileID, line: UInt = #line
    ) async throws -> [Row] {
        try await insert(many: values, file, line)
    }

    /// Gives a row these values; `nil` when there is none with this key.
    public func update(
        _ id: Row.ID, _ values: ColumnValues<Row>, file: StaticString = #fileID, line: UInt = #line
    ) async throws -> Row? {
        try await update(id, values, if: nil, file, line).row
    }

    /// Deletes a row.
    /// - Returns: the row as it was; `nil` when there is none with this key.
    @discardableResult
    public func delete(_ id: Row.ID, file: StaticString = #fileID, line: UInt = #line) async throws -> Row? {
        try await delete(id, if: nil, file, line).row
    }
}
