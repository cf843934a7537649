import SQL

/// What can be done with the rows of a model. A resource's own service states its repository, and overrides what differs for it.
public protocol ResourceService<Row>: Sendable {
    /// The model.
    associatedtype Row: Model

    /// Where the rows are kept.
    var rows: any Repository<Row> { get }

    /// Completes or checks column values before it is written: of a new row, of a replacement, or of a change, which has only the fields that
    /// change. Nothing is done unless a resource says so.
    /// - Throws: what stands in the way.
    func prepare(_ values: inout ColumnValues<Row>) throws

    /// What a row must be before it may be changed or replaced; `nil` (the default) when every row may be.
    var changeable: Requirement<Row>? { get }

    /// What a row must be before it may be deleted; `nil` (the default) when every row may be.
    var deletable: Requirement<Row>? { get }

    /// The rows that are selected.
    func list(_ select: Select<Row>) async throws -> [Row]

    /// Hands the rows that are selected to `body`, in chunks.
    func stream(_ select: Select<Row>, _ body: ([Row]) async throws -> Void) async throws

    /// How many rows are selected, whatever the limit.
    func count(_ select: Select<Row>) async throws -> Int

    /// One row.
    /// - Throws: `ResourceError.notFound`.
    func find(_ id: Row.ID) async throws -> Row

    /// Creates rows, all or none; with a key, once.
    /// - Throws: `ConstraintViolation`, and `ResourceError` when the key is used otherwise.
    func create(_ values: [ColumnValues<Row>], once key: IdempotencyKey?) async throws -> [Row]

    /// Gives a row the values of a complete set of column values.
    /// - Throws: `ResourceError.notFound`, `.changed`; `ConstraintViolation`.
    func replace(_ id: Row.ID, with values: ColumnValues<Row>, if version: VersionCondition) async throws -> Row

    /// Gives a row these column values.
    /// - Throws: `ResourceError.notFound`, `.changed`; `ConstraintViolation`.
    func change(_ id: Row.ID, _ values: ColumnValues<Row>, if version: VersionCondition) async throws -> Row

    /// Deletes a row.
    /// - Throws: `ResourceError.notFound`, `.changed`; `ConstraintViolation`.
    func delete(_ id: Row.ID, if version: VersionCondition) async throws

    /// Gives all rows that are selected, and `changeable`, these column values.
    /// - Returns: how many there are.
    func change(all select: Select<Row>, _ values: ColumnValues<Row>) async throws -> Int

    /// Deletes all rows that are selected, and `deletable`.
    /// - Returns: how many there were.
    func delete(all select: Select<Row>) async throws -> Int

    /// The changes of a row before one of them, the latest first.
    /// - Throws: `ResourceError.notFound` when there never was such a row.
    func history(of id: Row.ID, before position: Int64, limit: Int) async throws -> [ChangeRecord<Row>]
}

/// A business rule: what a row must be, checked by the statement that changes it, and the error when it is not.
public struct Requirement<Row: Sendable>: Sendable {
    let condition: Condition<Row>
    let error: any Error

    /// Makes a rule: `Requirement(Lead.columns.stage != .won, else: LeadError.won)`.
    public init(_ condition: Condition<Row>, else error: any Error) {
        (self.condition, self.error) = (condition, error)
    }
}

/// Why something cannot be done with a row.
public enum ResourceError: Error, Hashable {
    /// There is no such row.
    case notFound
    /// It is not what the client takes it for: somebody has changed it.
    case changed
    /// An idempotency key was used for another request.
    case keyUsedForAnother
    /// The request under this idempotency key is being carried out.
    case keyInUse
}

/// What the version of a row must be for a change to be made (RFC 9110, section 13.1.1 and 13.1.2).
public enum VersionCondition: Hashable, Sendable {
    case any
    case oneOf([Int64])
    case noneOf([Int64])
    /// None will do.
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

    public func replace(_ id: Row.ID, with values: ColumnValues<Row>, if version: VersionCondition) async throws -> Row {
        try await change(id, values, if: version)
    }

    public func change(_ id: Row.ID, _ values: ColumnValues<Row>, if version: VersionCondition) async throws -> Row {
        let values = try prepared(values)
        return try await Guards(version, changeable).row {
            try await rows.update(id, values, if: $0, #fileID, #line)
        }
    }

    public func delete(_ id: Row.ID, if version: VersionCondition) async throws {
        _ = try await Guards(version, deletable).row { try await rows.delete(id, if: $0, #fileID, #line) }
    }

    public func change(all select: Select<Row>, _ values: ColumnValues<Row>) async throws -> Int {
        try await rows.update(all: select.meeting(changeable), prepared(values), #fileID, #line)
    }

    public func delete(all select: Select<Row>) async throws -> Int {
        try await rows.delete(all: select.meeting(deletable), #fileID, #line)
    }

    public func history(of id: Row.ID, before position: Int64, limit: Int) async throws -> [ChangeRecord<Row>] {
        let changes = try await rows.history(of: id, before: position, limit: limit, #fileID, #line)
        // A row that is as it was before changes were recorded has none.
        if changes.isEmpty, position == .max { _ = try await find(id) }
        return changes
    }
}

extension Select where Model: Sendable {
    fileprivate func meeting(_ requirement: Requirement<Model>?) -> Self {
        guard let requirement else { return self }
        return self.where { _ in requirement.condition }
    }
}

/// What stands in the way of a change to one row: the client's precondition, then the resource's rule.
private struct Guards<Row: Model> {
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

    /// Both of them; `nil` when anything will do.
    private var condition: Condition<Row>? {
        guard let version, let rule else { return version ?? rule?.condition }
        return version && rule.condition
    }

    /// Makes a change, and gives its row.
    ///
    /// A row that was refused and yet meets both guards is an older one than the one that was: somebody was faster. It is tried again.
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
