import Postgres
import SQL

extension Database {
    /// A database without a connection, which has no rows and discards writes. Use it to list the statements that a
    /// program would send.
    public static var dry: Database { Database(executor: DryRun(), slow: .seconds(3600)) }
}

/// An executor that returns an empty result for every statement.
private struct DryRun: StatementExecutor {
    func read(_: Statement) async throws -> Result { Result.empty }

    func write(_: Statement) async throws -> Result { Result.empty }

    func write(_ statements: [Statement]) async throws -> [Result] { statements.map { _ in Result.empty } }

    func transaction<Value>(
        _: IsolationLevel?, _ body: (any StatementExecutor) async throws -> Value
    ) async throws -> Value {
        try await body(self)
    }
}
