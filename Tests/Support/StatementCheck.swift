import Postgres
import SQL
import Synchronization

/// Checks with the server that a statement's types agree with the code, and that an index supports it.
public struct StatementCheck: Sendable {
    private let configuration: PostgresConfiguration

    /// A statement that failed the check.
    public struct Failed: Error, CustomStringConvertible {
        public let description: String
    }

    /// The sequential scans that are intended: the beginning of the statement, and the reason.
    private static let allowedScans = [
        "SELECT version_num::text FROM alembic_version": "the table has one row",
        "SELECT revision, breaking FROM migration_revision": "the whole table is read",
    ]

    /// The statements that this process has checked already.
    private static let checked = Mutex<Set<String>>([])

    /// Creates a check that connects with this configuration.
    public init(_ configuration: PostgresConfiguration) { self.configuration = configuration }

    /// Checks a statement, unless one with the same text has been checked already.
    /// - Throws: `Failed`, and `PostgresError`.
    public func callAsFunction(_ executed: ExecutedStatement) async throws {
        guard Self.checked.withLock({ $0.insert(executed.statement.text).inserted }) else { return }
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        let description = try await connection.describe(executed.statement.withoutCursor)
        try checkParameters(executed, description)
        if let columns = executed.columns { try await check(executed, columns, description, connection) }
        try await checkScans(executed, connection)
    }

    private func checkParameters(_ executed: ExecutedStatement, _ description: Result) throws {
        let sent = executed.statement.bindings.parameters.map(\.type)
        guard description.parameterTypes == sent else {
            throw Failed(
                description:
                    "parameters are sent as \(sent), but the server expects \(description.parameterTypes): \(executed)")
        }
    }

    /// Compares the types and the nullability of the columns with the model.
    private func check(
        _ executed: ExecutedStatement, _ columns: [ColumnDefinition], _ description: Result, _ connection: Connection
    ) async throws {
        guard description.columns.map(\.name) == columns.map(\.name) else {
            throw Failed(description: "the columns are \(description.columns.map(\.name)): \(executed)")
        }
        // A column of a UNION has no table; its parts are checked where they are queried separately.
        for (actual, expected) in zip(description.columns, columns) where actual.table != 0 {
            let facts: Statement = """
                SELECT format_type(atttypid, atttypmod), NOT attnotnull FROM pg_attribute \
                WHERE attrelid::bigint = \(Int64(actual.table)) AND attnum = \(Int16(actual.number))
                """
            var row = try await connection.execute(facts).row(0)
            let (type, isNullable) = (try row.next(String.self), try row.next(Bool.self))
            guard type == expected.type, isNullable == expected.isNullable else {
                throw Failed(
                    description:
                        "\(expected.name) is \(type)\(isNullable ? "" : " NOT NULL") in the database, unlike in the model: \(executed)"
                )
            }
        }
    }

    /// Checks that the plan contains no sequential scan. With `enable_seqscan` off, Postgres chooses one only when no
    /// index is suitable.
    private func checkScans(_ executed: ExecutedStatement, _ connection: Connection) async throws {
        guard !Self.allowedScans.keys.contains(where: executed.statement.text.hasPrefix) else { return }
        _ = try await connection.execute("SET enable_seqscan = off")
        let plan = try await connection.execute(executed.statement.prefixed(unsafe: "EXPLAIN (COSTS off) "))
        for index in 0..<plan.count {
            var row = plan.row(index)
            let line = try row.next(String.self)
            guard !line.contains("Seq Scan") else {
                throw Failed(description: "no index supports this statement: \(line) in \(executed)")
            }
        }
    }
}

extension Statement {
    /// The SELECT of a cursor declaration, since the declaration itself returns no rows; any other statement unchanged.
    fileprivate var withoutCursor: Statement {
        guard text.hasPrefix("DECLARE "), let declaration = text.firstRange(of: " CURSOR FOR ") else { return self }
        return replacing(unsafe: String(text[declaration.upperBound...]))
    }
}
