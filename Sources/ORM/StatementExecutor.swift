import EventLoop
import Postgres
import SQL

/// An executor of statements: a connection pool, or a transaction on a connection.
package protocol StatementExecutor: Sendable {
    /// Executes a read-only statement.
    func read(_ statement: Statement) async throws -> Result

    /// Executes a statement that may change data.
    func write(_ statement: Statement) async throws -> Result

    /// Executes statements atomically, in one batch.
    func write(_ statements: [Statement]) async throws -> [Result]

    /// Runs `body` in a transaction.
    func transaction<Value>(
        _ isolation: IsolationLevel?, _ body: (any StatementExecutor) async throws -> Value
    ) async throws -> Value
}

extension Pool: StatementExecutor {
    package func write(_ statement: Statement) async throws -> Result {
        try await lease { lease in
            if let author = ChangeAuthor.current { return try await lease.commit([author.statement, statement])[1] }
            guard CausalSession.current == nil else { return try await lease.commit([statement])[0] }
            return try await PostgresError.ofChange { try await lease.execute(statement) }
        }
    }

    package func write(_ statements: [Statement]) async throws -> [Result] {
        try await lease { lease in
            guard let author = ChangeAuthor.current else { return try await lease.commit(statements) }
            return Array(try await lease.commit([author.statement] + statements).dropFirst())
        }
    }

    /// Runs `body` in a transaction. If the transaction conflicts with concurrent ones, or a prepared statement was
    /// stale, the transaction is retried up to three times, each time after a pause of 5 to 50 ms.
    package func transaction<Value>(
        _ isolation: IsolationLevel?, _ body: (any StatementExecutor) async throws -> Value
    ) async throws -> Value {
        var retries = 3
        while true {
            do {
                return try await lease { try await Transaction(on: $0, isolation).run(body) }
            } catch let error as PostgresError where error.isRetryable && retries > 0 {
                retries -= 1
                try await Loop.current?.sleep(for: .milliseconds(.random(in: 5...50)))
            }
        }
    }
}

extension PostgresError {
    /// Whether a transaction that failed with this error may succeed if it is retried.
    fileprivate var isRetryable: Bool { meaning == .serializationFailure || isStale }
}

/// The isolation level of a transaction (Postgres manual, section 13.2).
public enum IsolationLevel: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}
