import SQL

/// A repository in Postgres, in which each operation is one statement.
public struct PostgresRepository<Row: Model>: Repository {
    private let database: Database

    /// Creates a repository for the model's table in a database.
    public init(_ database: Database) { self.database = database }

    public func all(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> [Row] {
        try await database.all(select, file, line)
    }

    public func stream(
        _ select: Select<Row>, _ file: StaticString, _ line: UInt, _ body: ([Row]) async throws -> Void
    ) async throws {
        try await database.stream(select, file, line, body)
    }

    public func count(_ select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> Int {
        try await database.count(select, file, line)
    }

    public func find(_ id: Row.ID, _ file: StaticString, _ line: UInt) async throws -> Row? {
        try await database.find(Row.self, id, file, line)
    }

    public func insert(many values: [ColumnValues<Row>], _ file: StaticString, _ line: UInt) async throws -> [Row] {
        try await convertingViolations(values) {
            guard values.count == 1 else { return try await database.insert(many: values, file, line) }
            return [try await database.insert(values[0], file, line)]
        }
    }

    public func insert(
        many values: [ColumnValues<Row>], once key: IdempotencyKey, _ file: StaticString, _ line: UInt
    ) async throws -> InsertedOnce<Row> {
        guard !values.isEmpty else { return .rows([]) }
        var retries = 1
        while true {
            do {
                let rows = try await convertingViolations(values) {
                    try await database.insert(many: values, once: key, file, line)
                }
                guard !rows.isEmpty else { return .inUse }
                return rows.allSatisfy(\.flag) ? .rows(rows.map(\.row)) : .usedForAnother
            } catch let error as DatabaseError where error.constraint == "idempotency_key_pkey" && retries > 0 {
                // Another transaction has used the key since the statement began: the next attempt finds its rows.
                retries -= 1
            }
        }
    }

    public func update(
        _ id: Row.ID, _ values: ColumnValues<Row>, if requirement: Condition<Row>?, _ file: StaticString, _ line: UInt
    ) async throws -> Guarded<Row> {
        try await convertingViolations {
            guard let requirement, !values.assignments.isEmpty else {
                let row = try await database.update(
                    values.assignments, where: { _ in Row.primaryKey == id }, file, line
                )
                .first
                return row.map { requirement?.matches($0) ?? true ? .done($0) : .refused($0) } ?? .missing
            }
            return try await database.guarded(
                Row.update(values.assignments, where: Row.primaryKey == id, if: requirement), file, line)
        }
    }

    public func delete(
        _ id: Row.ID, if requirement: Condition<Row>?, _ file: StaticString, _ line: UInt
    ) async throws -> Guarded<Row> {
        try await convertingViolations(isDeletion: true) {
            guard let requirement else {
                let row = try await database.delete(Row.self, where: { _ in Row.primaryKey == id }, file, line).first
                return row.map { .done($0) } ?? .missing
            }
            return try await database.guarded(Row.delete(where: Row.primaryKey == id, if: requirement), file, line)
        }
    }

    public func update(
        all select: Select<Row>, _ values: ColumnValues<Row>, _ file: StaticString, _ line: UInt
    ) async throws -> Int {
        guard !values.assignments.isEmpty else { return try await database.count(select, file, line) }
        return try await convertingViolations {
            try await database.execute(select.update(values.assignments), file, line).affected
        }
    }

    public func delete(all select: Select<Row>, _ file: StaticString, _ line: UInt) async throws -> Int {
        try await convertingViolations(isDeletion: true) {
            try await database.execute(select.deletion, file, line).affected
        }
    }

    public func history(
        of id: Row.ID, before position: Int64, limit: Int, _ file: StaticString, _ line: UInt
    ) async throws -> [ChangeRecord<Row>] {
        guard Row.definition.recordsChanges else { return [] }
        let result = try await database.read(
            Row.history(of: id, before: position, limit: Int64(limit)), file, line)
        return try (0..<result.count).map { index in
            var row = result.row(index)
            return try ChangeRecord(row: &row)
        }
    }

    /// Runs `body`, and converts an error for a violated constraint to a `ConstraintViolation`, which names the model's
    /// column and, for inserts, the row at fault.
    private func convertingViolations<Value>(
        _ values: [ColumnValues<Row>] = [], isDeletion: Bool = false, _ body: () async throws -> Value
    ) async throws -> Value {
        do { return try await body() } catch let error as DatabaseError {
            guard error.constraint != "idempotency_key_pkey",
                var violation = Row.definition.violation(error, isDeletion: isDeletion)
            else {
                throw error
            }
            violation.index = violation.column.flatMap { values.index(of: $0, error) }
            throw violation
        }
    }
}
