import Postgres
import SQL
import Synchronization

/// The plan with which Postgres executed a statement, or the error with which the statement failed.
public struct Explanation: Sendable {
    /// The executed statement.
    public let statement: Statement
    /// The values of the statement's parameters in Postgres's text form; `nil` is NULL.
    public fileprivate(set) var parameters: [String?] = []
    /// The output of `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)`; `nil` if the statement failed.
    public fileprivate(set) var plan: String?
    /// The output of EXPLAIN with `enable_seqscan` off, which shows what Postgres would do with more rows; `nil` if the
    /// plan has no sequential scan.
    public fileprivate(set) var planForMoreRows: String?
    /// The error, including its SQLSTATE, if the statement failed; otherwise `nil`.
    public fileprivate(set) var error: String?
}

extension Database {
    /// Runs `body` on a separate connection, in a transaction that is rolled back, and explains each statement that
    /// `body` sends.
    ///
    /// Sequences in the search path, which a rollback normally does not restore, are restored too. They are locked from
    /// the first write of `body` until the rollback; other sessions that call `nextval` wait.
    /// - Returns: What `body` returns, and the explanations of the statements.
    /// - Throws: What `body` throws, and `DatabaseError`.
    public static func explaining<Value>(
        _ configuration: DatabaseConfiguration, _ body: (Database) async throws -> Value
    ) async throws -> (Value, [Explanation]) {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        var outcome: (Value, [Explanation])?
        do {
            try await Transaction(on: Lease(of: connection), nil).run { transaction in
                let journal = Explainer.Journal()
                let explainer = Explainer(inside: transaction, recordingIn: journal)
                outcome = (try await body(Database(executor: explainer, slow: .seconds(3600))), journal.explanations)
                throw Rollback()
            }
        } catch is Rollback {}
        guard let outcome else { throw PostgresError.rolledBack }
        return outcome
    }
}

/// An error that is thrown only to have a transaction or savepoint rolled back.
private struct Rollback: Error {}

/// An executor that explains each statement, in a savepoint that is rolled back, and then executes the statement.
final class Explainer: StatementExecutor {
    private let transaction: any StatementExecutor
    private let journal: Journal
    private let hasProtectedSequences: Mutex<Bool>

    /// The explanations of the statements executed so far, including those of nested transactions.
    final class Journal: Sendable {
        fileprivate let entries = Mutex<[Explanation]>([])
        var explanations: [Explanation] { entries.withLock { $0 } }
    }

    init(
        inside transaction: any StatementExecutor, recordingIn journal: Journal, hasProtectedSequences: Bool = false
    ) {
        (self.transaction, self.journal) = (transaction, journal)
        self.hasProtectedSequences = Mutex(hasProtectedSequences)
    }

    func read(_ statement: Statement) async throws -> Result {
        var explanation = Explanation(statement: statement)
        defer { journal.entries.withLock { $0.append(explanation) } }
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
        var row = try await transaction.read(Self.parameterTexts(of: statement)).row(0)
        explanation.parameters = try statement.bindings.parameters.map { _ in try row.next(String?.self) }
        let plan = try await plan(of: statement)
        explanation.plan = plan
        guard plan.contains("\"Seq Scan\"") else { return }
        explanation.planForMoreRows = try await self.plan(of: statement, after: Self.avoidSequentialScans)
    }

    private func plan(of statement: Statement, after setting: Statement? = nil) async throws -> String {
        var plan = ""
        do {
            try await transaction.transaction(nil) { inner in
                if let setting { _ = try await inner.write(setting) }
                let explain = statement.prefixed(unsafe: "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ")
                var row = try await inner.write(explain).row(0)
                plan = try row.next()
                throw Rollback()
            }
        } catch is Rollback {}
        return plan
    }

    func write(_ statement: Statement) async throws -> Result {
        if !hasProtectedSequences.withLock({ exchange(&$0, with: true) }) {
            _ = try await transaction.write(Self.protectSequences)
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
        let isProtected = hasProtectedSequences.withLock { $0 }
        return try await transaction.transaction(nil) { inner in
            try await body(Explainer(inside: inner, recordingIn: journal, hasProtectedSequences: isProtected))
        }
    }

    /// Returns a statement that converts the parameters of the given statement to text.
    private static func parameterTexts(of statement: Statement) -> Statement {
        let list = statement.bindings.parameters.indices.map { "$\($0 + 1)::text" }.joined(separator: ", ")
        return statement.replacing(unsafe: "SELECT \(list)")
    }

    /// The statement that makes the planner avoid sequential scans. It also disables JIT compilation, which the
    /// increased cost estimate would trigger and which takes longer than the explained statement.
    private static let avoidSequentialScans: Statement =
        "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"

    /// The statement that executes `ALTER SEQUENCE … INCREMENT BY` for every sequence in the search path, without
    /// changing the increment. After an ALTER SEQUENCE, a rollback also restores the sequence's value (Postgres manual,
    /// ALTER SEQUENCE).
    private static let protectSequences = Statement(
        unsafe: """
            DO $$ DECLARE known record; BEGIN
                FOR known IN SELECT seqrelid::regclass AS name, seqincrement AS step FROM pg_sequence
                    WHERE pg_table_is_visible(seqrelid)
                LOOP EXECUTE format('ALTER SEQUENCE %s INCREMENT BY %s', known.name, known.step); END LOOP;
            END $$
            """)
}

private func exchange<Value>(_ variable: inout Value, with new: Value) -> Value {
    defer { variable = new }
    return variable
}
