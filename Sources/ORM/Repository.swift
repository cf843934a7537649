import SQL

/// Where the rows of one model are kept: a table, or memory. What both can do is tested on both.
///
/// The place in the code, `file` and `line`, goes along with each call, so that a statement can be traced to the use case that
/// sent it; callers leave it out.
public protocol Repository<Row>: Sendable {
    /// The model.
    associatedtype Row: Model

    /// The rows that are selected.
    func all(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> [Row]

    /// How many rows are selected, whatever the limit.
    func count(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> Int

    /// The row with this key, if there is one.
    func find(_ id: Row.ID, _ file: StaticString, _ line: UInt) async throws -> Row?

    /// Keeps a new row, under a key of its own.
    func insert(_ draft: Row.Draft, _ file: StaticString, _ line: UInt) async throws -> Row

    /// Keeps new rows, all or none of them.
    func insert(many drafts: [Row.Draft], _ file: StaticString, _ line: UInt) async throws -> [Row]

    /// Gives a row these values; `nil` when there is none with this key.
    func update(_ id: Row.ID, _ values: [Assignment<Row>], _ file: StaticString, _ line: UInt) async throws -> Row?

    /// Deletes a row.
    /// - Returns: the row as it was; `nil` when there is none with this key.
    func delete(_ id: Row.ID, _ file: StaticString, _ line: UInt) async throws -> Row?
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
    public func insert(_ draft: Row.Draft, file: StaticString = #fileID, line: UInt = #line) async throws -> Row {
        try await insert(draft, file, line)
    }

    /// Keeps new rows, all or none of them.
    public func insert(
        many drafts: [Row.Draft], file: StaticString = #fileID, line: UInt = #line
    ) async throws -> [Row] {
        try await insert(many: drafts, file, line)
    }

    /// Gives a row these values; `nil` when there is none with this key.
    public func update(
        _ id: Row.ID, _ values: [Assignment<Row>], file: StaticString = #fileID, line: UInt = #line
    ) async throws -> Row? {
        try await update(id, values, file, line)
    }

    /// Deletes a row.
    /// - Returns: the row as it was; `nil` when there is none with this key.
    @discardableResult
    public func delete(_ id: Row.ID, file: StaticString = #fileID, line: UInt = #line) async throws -> Row? {
        try await delete(id, file, line)
    }
}
