import SQL

/// The use cases of a resource, such as listing, creating, changing and deleting rows. A concrete service provides a
/// repository, and implements only the use cases that differ from the default.
public protocol ResourceService<Row>: Sendable {
    /// The model of the resource's rows.
    associatedtype Row: Model

    /// The repository of the resource's rows.
    var rows: any Repository<Row> { get }

    /// Completes or validates column values before they are written. The values are those of a new row, of a
    /// replacement, or of a partial update, which has only the fields that change. The default implementation does
    /// nothing.
    /// - Throws: An error that rejects the values.
    func prepare(_ values: inout ColumnValues<Row>) throws

    /// The requirement that a row must meet to be changed or replaced; `nil`, the default, if there is none.
    var changeable: Requirement<Row>? { get }

    /// The requirement that a row must meet to be deleted; `nil`, the default, if there is none.
    var deletable: Requirement<Row>? { get }

    /// Returns the selected rows.
    func list(_ select: Select<Row>) async throws -> [Row]

    /// Calls `body` with the selected rows in chunks.
    func stream(_ select: Select<Row>, _ body: ([Row]) async throws -> Void) async throws

    /// Returns the number of rows that match the query's condition; the limit is ignored.
    func count(_ select: Select<Row>) async throws -> Int

    /// Returns the row with a primary key.
    /// - Throws: `ResourceError.notFound`.
    func find(_ id: Row.ID) async throws -> Row

    /// Creates rows atomically and, with an idempotency key, at most once.
    /// - Throws: `ConstraintViolation`; `ResourceError.keyUsedForAnother`, `.keyInUse`.
    func create(_ values: [ColumnValues<Row>], once key: IdempotencyKey?) async throws -> [Row]

    /// Replaces a row with a complete set of column values.
    /// - Throws: `ResourceError.notFound`, `.changed`; `ConstraintViolation`.
    func replace(_ id: Row.ID, with values: ColumnValues<Row>, if version: VersionCondition) async throws -> Row

    /// Updates some columns of a row.
    /// - Throws: `ResourceError.notFound`, `.changed`; `ConstraintViolation`.
    func change(_ id: Row.ID, _ values: ColumnValues<Row>, if version: VersionCondition) async throws -> Row

    /// Deletes a row.
    /// - Throws: `ResourceError.notFound`, `.changed`; `ConstraintViolation`.
    func delete(_ id: Row.ID, if version: VersionCondition) async throws

    /// Updates all selected rows that meet the `changeable` requirement.
    /// - Returns: The number of updated rows.
    func change(all select: Select<Row>, _ values: ColumnValues<Row>) async throws -> Int

    /// Deletes all selected rows that meet the `deletable` requirement.
    /// - Returns: The number of deleted rows.
    func delete(all select: Select<Row>) async throws -> Int

    /// Returns the recorded changes of a row, the latest first, up to `limit`. Only change records with an id less than
    /// `position` are returned.
    /// - Throws: `ResourceError.notFound` if there are neither changes nor a row. This is checked only if `position` is
    ///   `Int64.max`, as in a request for the latest changes.
    func history(of id: Row.ID, before position: Int64, limit: Int) async throws -> [ChangeRecord<Row>]
}

/// A business rule: a condition that a row must match to be changed or deleted, and the error that is thrown if the row
/// does not match. The statement that makes the change also checks the condition.
public struct Requirement<Row: Sendable>: Sendable {
    let condition: Condition<Row>
    let error: any Error

    /// Creates a rule from a condition and the error for rows that do not match: `Requirement(Lead.columns.stage !=
    /// .won, else: LeadError.won)`.
    public init(_ condition: Condition<Row>, else error: any Error) {
        (self.condition, self.error) = (condition, error)
    }
}

/// An error of a resource service.
public enum ResourceError: Error, Hashable {
    /// The row does not exist.
    case notFound
    /// The row's version does not satisfy the client's `VersionCondition`, usually because the row was changed
    /// concurrently.
    case changed
    /// The idempotency key was used for a different request.
    case keyUsedForAnother
    /// Another request with this idempotency key is in progress.
    case keyInUse
}

/// A client's precondition on the version of a row (RFC 9110, sections 13.1.1 and 13.1.2).
public enum VersionCondition: Hashable, Sendable {
    /// The row may have any version.
    case any
    /// The row must have one of these versions (If-Match).
    case oneOf([Int64])
    /// The row must have none of these versions (If-None-Match).
    case noneOf([Int64])
    /// The precondition fails for every version.
    case never
}

extension ResourceService {
    public func prepare(_ values: inout ColumnValues<Row>) throws {}

    private func prepared(_ values: ColumnValues<Row>) throws -> ColumnValues<Row> {
        var values = values
        try prepare(&values)
        return values
    }

    public var changeable: Requirement<Row>? { nil }

    public var deletable: Requirement<Row>? { nil }

    public func list(_ select: Select<Row>) async throws -> [Row] { try await rows.all(select) }

    public func stream(_ select: Select<Row>, _ body: ([Row]) async throws -> Void) async throws {
        try await rows.stream(select, #fileID, #line, body)
    }

    public func count(_ select: Select<Row>) async throws -> Int { try await rows.count(select) }

    public func find(_ id: Row.ID) async throws -> Row {
        guard let row = try await rows.find(id, #fileID, #line) else { throw ResourceError.notFound }
        return row
    }

    public func create(_ values: [ColumnValues<Row>], once key: IdempotencyKey?) async throws -> [Row] {
        let values = try values.map(prepared)
        guard let key else { return try await rows.insert(many: values) }
        switch try await rows.insert(many: values, once: key, #fileID, #line) {
        case .rows(let rows): return rows
        case .usedForAnother: throw ResourceError.keyUsedForAnother
        case .inUse: throw ResourceError.keyInUse
        }
    }

    public func replace(_ id: Row.ID, with values: ColumnValues<Row>, if version: VersionCondition) async throws -> Row
    {
        try await change(id, values, if: version)
    }

    public func change(_ id: Row.ID, _ values: ColumnValues<Row>, if version: VersionCondition) async throws -> Row {
        let values = try prepared(values)
        return try await Preconditions(version, changeable).row {
            try await rows.update(id, values, if: $0, #fileID, #line)
        }
    }

    public func delete(_ id: Row.ID, if version: VersionCondition) async throws {
        _ = try await Preconditions(version, deletable).row { try await rows.delete(id, if: $0, #fileID, #line) }
    }

    public func change(all select: Select<Row>, _ values: ColumnValues<Row>) async throws -> Int {
        try await rows.update(all: select.matching(changeable), prepared(values), #fileID, #line)
    }

    public func delete(all select: Select<Row>) async throws -> Int {
        try await rows.delete(all: select.matching(deletable), #fileID, #line)
    }

    public func history(of id: Row.ID, before position: Int64, limit: Int) async throws -> [ChangeRecord<Row>] {
        let changes = try await rows.history(of: id, before: position, limit: limit, #fileID, #line)
        // A row that has not been changed since recording began has no changes.
        if changes.isEmpty, position == .max { _ = try await find(id) }
        return changes
    }
}

extension Select where Model: Sendable {
    /// Returns the query restricted to the rows that meet a requirement; the query itself if the requirement is `nil`.
    fileprivate func matching(_ requirement: Requirement<Model>?) -> Self {
        guard let requirement else { return self }
        return self.where { _ in requirement.condition }
    }
}

/// The preconditions of a change of one row: the client's version condition, and the resource's rule.
private struct Preconditions<Row: Model> {
    let version: Condition<Row>?
    let rule: Requirement<Row>?

    init(_ version: VersionCondition, _ rule: Requirement<Row>?) {
        self.version =
            switch version {
            case .any: nil
            case .oneOf(let versions): Row.table.version?.isIn(versions) ?? .never
            case .noneOf(let versions): Row.table.version.map { !$0.isIn(versions) }
            case .never: .never
            }
        self.rule = rule
    }

    /// The conjunction of the version condition and the rule's condition; `nil` if there is neither.
    private var condition: Condition<Row>? {
        guard let version, let rule else { return version ?? rule?.condition }
        return version && rule.condition
    }

    /// Makes a change under these preconditions, and returns the changed or deleted row.
    ///
    /// If the row is changed concurrently, the statement evaluates the preconditions on the row's new version, but
    /// returns the old version. `change` may therefore be refused with a row that satisfies the preconditions. In this
    /// case, the change is retried, up to two times.
    /// - Throws: `ResourceError`, or the rule's error.
    func row(_ change: (Condition<Row>?) async throws -> Guarded<Row>) async throws -> Row {
        for _ in 0..<3 {
            switch try await change(condition) {
            case .done(let row): return row
            case .missing: throw ResourceError.notFound
            case .refused(let row):
                if let version, !version.matches(row) { throw ResourceError.changed }
                if let rule, !rule.condition.matches(row) { throw rule.error }
            }
        }
        throw rule?.error ?? ResourceError.changed
    }
}
