import EventLoop
import Logging
import Postgres
import SQL
import Scoreboard

/// A client for a Postgres database, which executes statements, decodes models, and records every statement.
///
/// There is no identity map and no unit of work. A read is one statement, on connections that all requests share; a
/// write is one statement that returns the written rows; `transaction` makes several writes atomic.
public struct Database: Sendable {
    private let executor: any StatementExecutor
    /// The value of `executor` if that is a connection pool; otherwise `nil`. A call on the concrete type takes half
    /// the instructions of a call through the protocol.
    private let pool: Pool?
    /// The connection pool for streams; `nil` if a stream reads all rows as one chunk.
    let streams: Pool?
    /// The replicas that may serve reads; `nil` if none are configured.
    public let replicas: Replicas?
    /// The minimum duration of a statement that is logged as slow.
    private let slow: Duration
    private let log: Logger

    /// Creates a client for use on the caller's event loop. Connections are opened on first use.
    public init(_ configuration: DatabaseConfiguration, log: Logger = Logger(label: "aktify.database")) {
        let (pool, streams) = (Pool(configuration), Pool(configuration.forStreams))
        self.init(
            executor: pool, streams: streams,
            replicas: Replicas(configuration, primary: Pools(reads: pool, streams: streams)),
            slow: configuration.slowStatement, log: log)
    }

    package init(
        executor: any StatementExecutor, streams: Pool? = nil, replicas: Replicas? = nil, slow: Duration,
        log: Logger = Logger(label: "aktify.database")
    ) {
        (self.executor, self.streams, self.replicas, self.slow, self.log) = (executor, streams, replicas, slow, log)
        pool = executor as? Pool
    }

    /// The current use of the pool's connections; `nil` if there is no pool, as in a transaction.
    public var statistics: Pool.Statistics? { pool?.statistics }

    /// The current use of the connections for streams, which `statistics` does not include; `nil` if there is no pool
    /// for streams.
    public var streamStatistics: Pool.Statistics? { streams?.statistics }

    // MARK: Reading

    /// Reads all selected rows.
    /// - Throws: `DatabaseError`, and `DecodingError` if the table's columns do not match the model.
    public func all<M: Model>(_ select: Select<M>, _ file: StaticString = #fileID, _ line: UInt = #line) async throws
        -> [M]
    {
        try await all(select.statement, as: M.self, file, line)
    }

    /// Reads the first selected row; returns `nil` if no row is selected.
    /// - Throws: `DatabaseError`, and `DecodingError` if the table's columns do not match the model.
    public func first<M: Model>(_ select: Select<M>, _ file: StaticString = #fileID, _ line: UInt = #line) async throws
        -> M?
    {
        let result = try await run(select.statement, M.self, CallSite(file, line))
        return result.count > 0 ? try result.model(0) : nil
    }

    /// Reads the row with a primary key; returns `nil` if there is no such row.
    /// - Throws: `DatabaseError`, and `DecodingError` if the table's columns do not match the model.
    @inline(__always)
    public func find<M: Model>(
        _: M.Type, _ id: M.ID, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> M? {
        let statement = Statement(unsafe: M.table.definition.findText, id)
        let result = try await run(statement, M.self, CallSite(file, line))
        return result.count > 0 ? try result.model(0) : nil
    }

    /// Counts the rows that match the query's condition; the limit is ignored.
    /// - Throws: `DatabaseError`.
    public func count<M: Model>(_ select: Select<M>, _ file: StaticString = #fileID, _ line: UInt = #line) async throws
        -> Int
    {
        var row = try await read(select.countStatement, file, line).row(0)
        return Int(try row.next(Int64.self))
    }

    /// Executes a handwritten read-only statement that returns the columns of a model's table, and decodes all rows.
    /// - Throws: `DatabaseError`, and `DecodingError` if the columns do not match the model.
    public func all<M: Model>(
        _ statement: Statement, as: M.Type, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [M] {
        try await run(statement, M.self, CallSite(file, line)).models()
    }

    /// Executes a handwritten read-only statement.
    /// - Throws: `DatabaseError`.
    public func read(
        _ statement: Statement, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> Result {
        try await run(statement, nil, CallSite(file, line))
    }

    // MARK: Writing

    /// Inserts a row and returns it, in one statement.
    /// - Throws: `DatabaseError`.
    public func insert<M: Model>(_ values: ColumnValues<M>, _ file: StaticString = #fileID, _ line: UInt = #line)
        async throws
        -> M
    {
        try await write(M.insert(values.assignments), M.self, CallSite(file, line)).model(0)
    }

    /// Inserts rows atomically and returns them in the same order, in one statement.
    /// - Throws: `DatabaseError`.
    public func insert<M: Model>(
        many values: [ColumnValues<M>], _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [M] {
        guard !values.isEmpty else { return [] }
        return try await write(M.insert(many: values.map(\.assignments)), M.self, CallSite(file, line)).models()
    }

    /// Inserts rows at most once per idempotency key, in one statement.
    /// - Returns: The inserted rows or, if the key was used before, the rows of the first insertion. The flag of each
    ///   row tells whether the request is the same as the first one with this key. Empty if another transaction is
    ///   using the key.
    /// - Throws: `DatabaseError`.
    public func insert<M: Model>(
        many values: [ColumnValues<M>], once key: IdempotencyKey, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [(row: M, flag: Bool)] {
        try await write(M.insert(many: values.map(\.assignments), once: key), nil, CallSite(file, line)).flagged()
    }

    /// Executes a statement that changes one row if the row matches a requirement, and returns the outcome.
    /// - Throws: `DatabaseError`.
    func guarded<M: Model>(_ statement: Statement, _ file: StaticString, _ line: UInt) async throws -> Guarded<M> {
        let rows: [(row: M, flag: Bool)] = try await write(statement, nil, CallSite(file, line)).flagged()
        return rows.first.map { $0.flag ? .done($0.row) : .refused($0.row) } ?? .missing
    }

    /// Updates the rows that match a condition and returns them in their new state, in one statement.
    /// - Throws: `DatabaseError`.
    public func update<M: Model>(
        _ values: [Assignment<M>], where condition: (M.Columns) -> Condition<M>, _ file: StaticString = #fileID,
        _ line: UInt = #line
    ) async throws -> [M] {
        try await write(M.update(values, where: condition), M.self, CallSite(file, line)).models()
    }

    /// Deletes the rows that match a condition and returns them, in one statement.
    /// - Throws: `DatabaseError`.
    public func delete<M: Model>(
        _: M.Type, where condition: (M.Columns) -> Condition<M>, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [M] {
        try await write(M.delete(where: condition), M.self, CallSite(file, line)).models()
    }

    /// Executes a handwritten statement that may change data.
    /// - Throws: `DatabaseError`.
    @discardableResult
    public func execute(
        _ statement: Statement, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> Result {
        try await write(statement, nil, CallSite(file, line))
    }

    /// Executes statements atomically, in one batch.
    /// - Throws: `DatabaseError`.
    @discardableResult
    public func execute(
        _ statements: [Statement], _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [Result] {
        let start = Instant.now
        RequestActivity.current?.beginQuery(statements.first?.text ?? "")
        defer { RequestActivity.current?.endQuery(waited: 0, executed: Instant.now.nanoseconds(since: start)) }
        let results = try await executor.write(statements)
        for (statement, result) in zip(statements, results) {
            report(statement, nil, CallSite(file, line), start, result)
        }
        return results
    }

    private func write(_ statement: Statement, _ model: (any Tabular.Type)?, _ site: CallSite) async throws -> Result {
        try await run(statement, model, site, .writing)
    }

    // MARK: Transactions

    /// Runs `body` in a transaction, which is committed when `body` returns and rolled back when it throws. A
    /// transaction within another one is a savepoint; its `isolation` must be `nil`.
    ///
    /// If the outermost transaction fails because of a conflict with concurrent ones (SQLSTATE 40001 and 40P01) or of a
    /// stale prepared statement, the transaction is retried, up to three times: `body` must not have other side effects
    /// that cannot be repeated.
    /// - Throws: What `body` throws, and `DatabaseError`.
    public func transaction<Value>(
        _ isolation: IsolationLevel? = nil, _ body: (Database) async throws -> Value
    ) async throws -> Value {
        try await executor.transaction(isolation) { inner in
            try await body(Database(executor: inner, slow: slow, log: log))
        }
    }

    // MARK: Recording

    /// How a statement is executed: on a shared connection (reading), or on a leased one (writing).
    private enum Access { case reading, writing }

    @inline(__always)
    private func run(
        _ statement: Statement, _ model: (any Tabular.Type)?, _ site: CallSite, _ access: Access = .reading
    ) async throws -> Result {
        let start = Instant.now
        let activity = RequestActivity.current
        activity?.beginQuery(statement.text)
        do {
            let result =
                switch (access, pool) {
                case (.reading, let pool?):
                    if let replicas, let session = CausalSession.current {
                        try await replicas.read(for: session, \.reads) { try await $0.read(statement) }
                    } else {
                        try await pool.read(statement)
                    }
                case (.reading, nil): try await executor.read(statement)
                case (.writing, _): try await executor.write(statement)
                }
            activity?.endQuery(
                waited: max(0, result.sent.nanoseconds(since: start)),
                executed: result.received.nanoseconds(since: result.sent))
            report(statement, model, site, start, result)
            return result
        } catch {
            activity?.endQuery(waited: 0, executed: Instant.now.nanoseconds(since: start))
            if let recorder = QueryRecorder.current {
                var entry = ExecutedStatement(statement, at: site, columns: model?.definition.columns)
                entry.executing = Instant.now.duration(since: start)
                entry.error = (error as? PostgresError)?.state?.code ?? "\(Swift.type(of: error))"
                recorder.record(entry)
            }
            throw error
        }
    }

    /// Adds a statement that succeeded to the current recorder, and logs the statement if it was slow.
    private func report(
        _ statement: Statement, _ model: (any Tabular.Type)?, _ site: CallSite, _ start: Instant, _ result: Result
    ) {
        let recorder = QueryRecorder.current
        guard recorder != nil || result.elapsed >= slow else { return }
        var entry = ExecutedStatement(statement, at: site, columns: model?.definition.columns)
        entry.rows = result.rowCount
        // In a batch, only the last result has the times.
        entry.waiting = result.sent == .distantFuture ? .zero : max(.zero, result.sent.duration(since: start))
        (entry.executing, entry.wasPrepared) = (result.elapsed, result.wasPrepared)
        report(entry)
    }

    /// Adds an executed statement to the current recorder, and logs the statement if it was slow.
    func report(_ entry: ExecutedStatement) {
        QueryRecorder.current?.record(entry)
        guard entry.executing >= slow else { return }
        let request = RequestActivity.current?.report
        log.warning(
            "slow statement: \(entry)",
            metadata: request.map { ["request_id": "\($0.id)", "request": "\($0.method) \($0.target)"] })
    }
}

extension Result {
    /// Decodes the row at an index as a model.
    fileprivate func model<M: Model>(_ index: Int) throws -> M {
        var row = row(index)
        return try M(row: &row)
    }

    /// Decodes all rows as models. The implementation is a loop, because `map` costs a generic call for each row.
    func models<M: Model>() throws -> [M] {
        var models: [M] = []
        models.reserveCapacity(count)
        for index in 0..<count { models.append(try model(index)) }
        return models
    }

    /// Decodes rows that have a boolean column, the flag, after the model's columns.
    fileprivate func flagged<M: Model>() throws -> [(row: M, flag: Bool)] {
        try (0..<count).map { index in
            var row = row(index)
            return (try M(row: &row), try row.next(Bool.self))
        }
    }

    /// The number of rows that the statement returned or, if it returned none, affected.
    fileprivate var rowCount: Int { count > 0 ? count : affected }
}
