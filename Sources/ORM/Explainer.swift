import Postgres
import SQL
import Synchronization

/// A statement's plan, as Postgres carried it out, or why Postgres did not.
public struct Explanation: Sendable {
    /// The statement.
    public let statement: Statement
    /// The values of its parameters, as Postgres writes them; `nil` is NULL.
    public fileprivate(set) var parameters: [String?] = []
    /// What `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)` returned; `nil` when the statement failed.
    public fileprivate(set) var plan: String?
    /// The same with sequential scans made dear, when the plan has one: what Postgres would do with more rows.
    public fileprivate(set) var planForMoreRows: String?
    /// Why the statement failed, with its SQLSTATE; `nil` when it did not.
    public fileprivate(set) var error: String?
}

extension Database {
    /// Runs `body` on a connection of its own, in a transaction that is rolled back, and explains each statement that it sends.
    ///
    /// Sequences, which a rollback leaves alone otherwise, are put back too: for as long as `body` runs after its first
    /// write, others that need a number of theirs wait.
    /// - Throws: what `body` throws, and `DatabaseError`.
    public static func explaining<Value>(
        _ configuration: DatabaseConfiguration, _ body: (Database) async throws -> Value
    ) async throws -> (Value, [Explanation]) {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        var outcome: (Value, [Explanation])?
        do {
            try await Transaction(on: Lease(of: connection), nil).run { transaction in
                let explainer = Explainer(inside: transaction)
                outcome = (try await body(Database(executor: explainer, slow: .seconds(3600))), explainer.explanations)
                throw Undo()
            }
        } catch is Undo {}
        guard let outcome else { throw PostgresError.rolledBack }
        return outcome
    }
}

/// Ends a transaction that is not to be committed.
private struct Undo: Error {}

/// Has Postgres explain each statement in a savepoint that is rolled back, and then carry it out.
final class Explainer: StatementExecutor {
    private let transaction: any StatementExecutor
    private let entries = Mutex<[Explanation]>([])
    private let keepsSequences = Mutex(false)

    init(inside transaction: any StatementExecutor) { self.transaction = transaction }

    var explanations: [Explanation] { entries.withLock { $0 } }

    func read(_ statement: Statement) async throws -> Result {
        var explanation = Explanation(statement: statement)
        defer { entries.withLock { $0.append(explanation) } }
        do {
            try await explain(&explanation)
            return try await transaction.read(statement)
        } catch {
            explanation.error = "\(error)"
            throw error
        }
    }

    private func explain(_ explanation: inout Explanation) async throws {
        let statement = explanation.statement
        var row = try await transaction.read(Self.texts(of: statement)).row(0)
        explanation.parameters = try statement.bindings.parameters.map { _ in try row.next(String?.self) }
        let plan = try await plan(of: statement)
        explanation.plan = plan
        guard plan.contains("\"Seq Scan\"") else { return }
        explanation.planForMoreRows = try await self.plan(of: statement, after: Self.otherPlans)
    }

    private func plan(of statement: Statement, after setting: Statement? = nil) async throws -> String {
        var plan = ""
        do {
            try await transaction.transaction(nil) { inner in
                if let setting { _ = try await inner.write(setting) }
                let explain = statement.prefixed(unsafe: "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ")
                var row = try await inner.write(explain).row(0)
                plan = try row.next()
                throw Undo()
            }
        } catch is Undo {}
        return plan
    }

    func write(_ statement: Statement) async throws -> Result {
        if !keepsSequences.withLock({ exchange(&$0, with: true) }) {
            _ = try await transaction.write(Self.keepSequences)
        }
        return try await read(statement)
    }

    func write(_ statements: [Statement]) async throws -> [Result] {
        var results: [Result] = []
        for statement in statements { results.append(try await write(statement)) }
        return results
    }

    func transaction<Value>(
        _ isolation: IsolationLevel?, _ body: (any StatementExecutor) async throws -> Value
    ) async throws -> Value {
        try await transaction.transaction(nil) { _ in try await body(self) }
    }

    /// The values of a statement's parameters as text.
    private static func texts(of statement: Statement) -> Statement {
        let list = statement.bindings.parameters.indices.map { "$\($0 + 1)::text" }.joined(separator: ", ")
        return statement.replacing(unsafe: "SELECT \(list)")
    }

    /// Makes sequential scans dear, and keeps Postgres from compiling a plan only because of that cost, which takes longer than the
    /// statement.
    private static let otherPlans: Statement =
        "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"

    /// A sequence that was altered in a transaction is put back with it (Postgres manual, ALTER SEQUENCE).
    private static let keepSequences = Statement(
        unsafe: """
            DO $$ DECLARE known record; BEGIN
                FOR known IN SELECT seqrelid::regclass AS name, seqincrement AS step FROM pg_sequence
                    WHERE pg_table_is_visible(seqrelid)
                LOOP EXECUTE format('ALTER SEQUENCE %s INCREMENT BY %s', known.name, known.step); END LOOP;
            END $$
            """)
}

private func exchange<Value>(_ place: inout Value, with new: Value) -> Value {
    defer { place = new }
    return place
}
