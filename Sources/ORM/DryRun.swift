import Postgres
import SQL

extension Database {
    /// A database that has no rows and keeps none: for listing the statements of a program that is not connected.
    public static var dry: Database { Database(executor: DryRun(), slow: .seconds(3600)) }
}

/// Answers every statement with no rows.
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
