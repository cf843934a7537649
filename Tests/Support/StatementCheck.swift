import Postgres
import SQL
import Synchronization

/// Asks the server whether a statement fits the code that sends it, and whether an index can answer it.
public struct StatementCheck: Sendable {
    private let configuration: PostgresConfiguration

    /// A statement that does not fit.
    public struct Failed: Error, CustomStringConvertible {
        public let description: String
    }

    /// Sequential scans that are right: the beginning of the statement, and the reason.
    private static let allowedScans = [
        "SELECT version_num::text FROM alembic_version": "all of its one row is wanted",
        "SELECT revision, breaking FROM migration_revision": "all of it is wanted",
    ]

    /// What was checked in this process.
    private static let checked = Mutex<Set<String>>([])

    public init(_ configuration: PostgresConfiguration) { self.configuration = configuration }

    /// Checks a statement, unless one of its text has been.
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
                description: "parameters are sent as \(sent), and taken as \(description.parameterTypes): \(executed)")
        }
    }

    /// The types and the nullability of the columns, as the server and as the model see them.
    private func check(
        _ executed: ExecutedStatement, _ columns: [ColumnDefinition], _ description: Result, _ connection: Connection
    ) async throws {
        guard description.columns.map(\.name) == columns.map(\.name) else {
            throw Failed(description: "the columns are \(description.columns.map(\.name)): \(executed)")
        }
        // A column of a union is of no table; each of its parts is checked where it is asked for alone.
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
                        "\(expected.name) is \(type)\(isNullable ? "" : " NOT NULL") in the database, not so in the model: \(executed)"
                )
            }
        }
    }

    /// With sequential scans made dear, one that is left means that there is no index.
    private func checkScans(_ executed: ExecutedStatement, _ connection: Connection) async throws {
        guard !Self.allowedScans.keys.contains(where: executed.statement.text.hasPrefix) else { return }
        _ = try await connection.execute("SET enable_seqscan = off")
        let plan = try await connection.execute(executed.statement.prefixed(unsafe: "EXPLAIN (COSTS off) "))
        for index in 0..<plan.count {
            var row = plan.row(index)
            let line = try row.next(String.self)
            guard !line.contains("Seq Scan") else {
                throw Failed(description: "no index answers this statement: \(line) in \(executed)")
            }
        }
    }
}

extension Statement {
    /// The SELECT of a cursor's declaration, which returns no rows itself; any other statement as it is.
    fileprivate var withoutCursor: Statement {
        guard text.hasPrefix("DECLARE "), let declaration = text.firstRange(of: " CURSOR FOR ") else { return self }
        return replacing(unsafe: String(text[declaration.upperBound...]))
    }
}
