import Postgres
import SQL

/// A transaction on a leased connection, or a savepoint within a transaction.
///
/// BEGIN is sent in one batch with the first statement. `@unchecked Sendable` is sound because a transaction is used
/// only on the event loop of its lease.
final class Transaction: StatementExecutor, @unchecked Sendable {
    private let lease: Lease
    private let opening: Statement
    private let commit: Statement
    private let rollback: Statement
    private let outer: Transaction?
    private let depth: Int
    private var hasBegun = false

    init(on lease: Lease, _ isolation: IsolationLevel?) {
        self.lease = lease
        opening = isolation.map { Statement(unsafe: "BEGIN ISOLATION LEVEL \($0.rawValue)") } ?? "BEGIN"
        (commit, rollback) = ("COMMIT", "ROLLBACK")
        (outer, depth) = (nil, 0)
    }

    private init(in outer: Transaction) {
        lease = outer.lease
        depth = outer.depth + 1
        opening = Statement(unsafe: "SAVEPOINT s\(depth)")
        commit = Statement(unsafe: "RELEASE s\(depth)")
        rollback = Statement(unsafe: "ROLLBACK TO s\(depth)")
        self.outer = outer
    }

    /// Runs `body`, and commits the transaction when `body` returns or rolls it back when `body` throws.
    /// - Throws: What `body` throws, and `PostgresError` if the commit fails.
    func run<Value>(_ body: (any StatementExecutor) async throws -> Value) async throws -> Value {
        do {
            let value = try await body(self)
            if hasBegun { try await end() }
            return value
        } catch {
            if hasBegun, lease.isInTransaction { try? await lease.rollBack(rollback) }
            throw error
        }
    }

    /// Commits the transaction, or releases the savepoint. The command tag of the COMMIT is checked, because for a
    /// transaction that has failed Postgres reports the tag ROLLBACK instead of an error.
    private func end() async throws {
        guard depth == 0 else {
            _ = try await PostgresError.ofChange(.inTransaction) { try await lease.execute(commit) }
            return
        }
        guard try await lease.commit([commit], .commit).last?.tag == "COMMIT" else { throw PostgresError.rolledBack }
    }

    /// Returns the statements to send before the transaction's next statement: those that begin this transaction and
    /// any outer ones that have not begun yet.
    private func pendingOpenings() -> [Statement] {
        guard !hasBegun else { return [] }
        hasBegun = true
        guard let outer else { return [opening] + (ChangeAuthor.current.map { [$0.statement] } ?? []) }
        return outer.pendingOpenings() + [opening]
    }

    func read(_ statement: Statement) async throws -> Result { try await write(statement) }

    func write(_ statement: Statement) async throws -> Result {
        let openings = pendingOpenings()
        return try await PostgresError.ofChange(.inTransaction) {
            guard !openings.isEmpty else { return try await lease.execute(statement) }
            return try await lease.execute(openings + [statement])[openings.count]
        }
    }

    func write(_ statements: [Statement]) async throws -> [Result] {
        let openings = pendingOpenings()
        return try await PostgresError.ofChange(.inTransaction) {
            Array(try await lease.execute(openings + statements).dropFirst(openings.count))
        }
    }

    func transaction<Value>(
        _ isolation: IsolationLevel?, _ body: (any StatementExecutor) async throws -> Value
    ) async throws -> Value {
        precondition(isolation == nil, "an inner transaction has the isolation level of the outer one")
        return try await Transaction(in: self).run(body)
    }
}
