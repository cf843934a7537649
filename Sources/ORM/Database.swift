import EventLoop
import Logging
import Postgres
import SQL
import Scoreboard

/// The door to Postgres: statements go in, models come out, and nothing happens that is not written down.
///
/// There is no identity map and no flush. A read is one statement, on connections that all requests share; a write is one
/// statement that returns what it wrote; several writes stand in a `transaction`.
public struct Database: Sendable {
    private let executor: any StatementExecutor
    /// The executor, when it is a pool: a call that is known takes half the steps of one through a protocol.
    private let pool: Pool?
    /// The connections for streams; `nil` when a stream is to read all rows at once.
    let streams: Pool?
    /// The servers besides the primary that reads may go to, when there are any.
    public let replicas: Replicas?
    private let slow: Duration
    private let log: Logger

    /// Makes a database for the loop that the caller runs on; it connects when it is first used.
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

    /// What the connections do now; `nil` when there is no pool behind it.
    public var statistics: Pool.Statistics? { pool?.statistics }

    /// What the connections for streams do now, which `statistics` does not count; `nil` when there are none.
    public var streamStatistics: Pool.Statistics? { streams?.statistics }

    // MARK: Reading

    /// Reads all rows that are selected.
    /// - Throws: `DatabaseError`, and `DecodingError` when the table is not the model's.
    public func all<M: Model>(_ select: Select<M>, _ file: StaticString = #fileID, _ line: UInt = #line) async throws
        -> [M]
    {
        try await all(select.statement, as: M.self, file, line)
    }

    /// Reads the first row that is selected; `nil` when there is none.
    /// - Throws: `DatabaseError`, and `DecodingError` when the table is not the model's.
    public func first<M: Model>(_ select: Select<M>, _ file: StaticString = #fileID, _ line: UInt = #line) async throws
        -> M?
    {
        let result = try await run(select.statement, M.self, CallSite(file, line))
        return result.count > 0 ? try result.model(0) : nil
    }

    /// Reads the row with this primary key; `nil` when there is none.
    /// - Throws: `DatabaseError`, and `DecodingError` when the table is not the model's.
    @inline(__always)
    public func find<M: Model>(
        _: M.Type, _ id: M.ID, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> M? {
        let statement = Statement(unsafe: M.table.definition.findText, id)
        let result = try await run(statement, M.self, CallSite(file, line))
        return result.count > 0 ? try result.model(0) : nil
    }

    /// Counts the rows that are selected, whatever the limit.
    /// - Throws: `DatabaseError`.
    public func count<M: Model>(_ select: Select<M>, _ file: StaticString = #fileID, _ line: UInt = #line) async throws
        -> Int
    {
        var row = try await read(select.countStatement, file, line).row(0)
        return Int(try row.next(Int64.self))
    }

    /// Reads all rows of a statement, written by hand, that changes nothing and returns the columns of a model's table.
    /// - Throws: `DatabaseError`, and `DecodingError` when they are not.
    public func all<M: Model>(
        _ statement: Statement, as: M.Type, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [M] {
        try await run(statement, M.self, CallSite(file, line)).models()
    }

    /// Runs a statement, written by hand, that changes nothing.
    /// - Throws: `DatabaseError`.
    public func read(
        _ statement: Statement, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> Result {
        try await run(statement, nil, CallSite(file, line))
    }

    // MARK: Writing

    /// Inserts a row: one statement, which returns it.
    /// - Throws: `DatabaseError`.
    public func insert<M: Model>(_ values: ColumnValues<M>, _ file: StaticString = #fileID, _ line: UInt = #line) async throws
        -> M
    {
        try await write(M.insert(values.assignments), M.self, CallSite(file, line)).model(0)
    }

    /// Inserts rows, all or none of them: one statement, which returns them in order.
    /// - Throws: `DatabaseError`.
    public func insert<M: Model>(
        many values: [ColumnValues<M>], _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [M] {
        guard !values.isEmpty else { return [] }
        return try await write(M.insert(many: values.map(\.assignments)), M.self, CallSite(file, line)).models()
    }

    /// Inserts rows under a key, once: one statement, which returns them, or those that were inserted under the key first.
    /// - Returns: each row, with whether the key was first used for the same request; none while another transaction uses the key.
    /// - Throws: `DatabaseError`.
    public func insert<M: Model>(
        many values: [ColumnValues<M>], once key: IdempotencyKey, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [(row: M, flag: Bool)] {
        try await write(M.insert(many: values.map(\.assignments), once: key), nil, CallSite(file, line)).flagged()
    }

    /// Runs a statement that changes one row if it meets a guard.
    /// - Throws: `DatabaseError`.
    func guarded<M: Model>(_ statement: Statement, _ file: StaticString, _ line: UInt) async throws -> Guarded<M> {
        let rows: [(row: M, flag: Bool)] = try await write(statement, nil, CallSite(file, line)).flagged()
        return rows.first.map { $0.flag ? .done($0.row) : .refused($0.row) } ?? .missing
    }

    /// Gives the rows that are so these values: one statement, which returns them as they are then.
    /// - Throws: `DatabaseError`.
    public func update<M: Model>(
        _ values: [Assignment<M>], where condition: (M.Columns) -> Condition<M>, _ file: StaticString = #fileID,
        _ line: UInt = #line
    ) async throws -> [M] {
        try await write(M.update(values, where: condition), M.self, CallSite(file, line)).models()
    }

    /// Deletes the rows that are so: one statement, which returns them as they were.
    /// - Throws: `DatabaseError`.
    public func delete<M: Model>(
        _: M.Type, where condition: (M.Columns) -> Condition<M>, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [M] {
        try await write(M.delete(where: condition), M.self, CallSite(file, line)).models()
    }

    /// Runs a statement, written by hand, that may change something.
    /// - Throws: `DatabaseError`.
    @discardableResult
    public func execute(
        _ statement: Statement, _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> Result {
        try await write(statement, nil, CallSite(file, line))
    }

    /// Runs statements in one packet, all or none of them.
    /// - Throws: `DatabaseError`.
    @discardableResult
    public func execute(
        _ statements: [Statement], _ file: StaticString = #fileID, _ line: UInt = #line
    ) async throws -> [Result] {
        let start = Instant.now
        RequestActivity.current?.beginQuery(statements.first?.text ?? "")
        defer { RequestActivity.current?.endQuery(waited: 0, executed: Instant.now.nanoseconds(since: start)) }
        let results = try await executor.write(statements)
        for (statement, result) in zip(statements, results) { note(statement, nil, CallSite(file, line), start, result) }
        return results
    }

    private func write(_ statement: Statement, _ model: (any Tabular.Type)?, _ site: CallSite) async throws -> Result {
        try await run(statement, model, site, .writing)
    }

    // MARK: Transactions

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws. In a transaction, it is a savepoint.
    ///
    /// When other transactions are in its way (SQLSTATE 40001 and 40P01), the outermost one is run again, up to three times:
    /// `body` must do nothing besides that cannot be done twice.
    /// - Throws: what `body` throws, and `DatabaseError`.
    public func transaction<Value>(
        _ isolation: IsolationLevel? = nil, _ body: (Database) async throws -> Value
    ) async throws -> Value {
        try await executor.transaction(isolation) { inner in
            try await body(Database(executor: inner, slow: slow, log: log))
        }
    }

    // MARK: Recording

    /// How a statement is run: together with others, or on a connection of its own.
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
            note(statement, model, site, start, result)
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

    /// Has the recorder hold a statement, and logs one that was slow.
    private func note(
        _ statement: Statement, _ model: (any Tabular.Type)?, _ site: CallSite, _ start: Instant, _ result: Result
    ) {
        let recorder = QueryRecorder.current
        guard recorder != nil || result.elapsed >= slow else { return }
        var entry = ExecutedStatement(statement, at: site, columns: model?.definition.columns)
        entry.rows = result.rowCount
        entry.waiting = max(.zero, result.sent.duration(since: start))
        (entry.executing, entry.wasPrepared) = (result.elapsed, result.wasPrepared)
        note(entry)
    }

    /// Has the recorder hold a statement, and logs one that was slow.
    func note(_ entry: ExecutedStatement) {
        QueryRecorder.current?.record(entry)
        if entry.executing >= slow { log.warning("slow statement: \(entry)") }
    }
}

extension Result {
    fileprivate func model<M: Model>(_ index: Int) throws -> M {
        var row = row(index)
        return try M(row: &row)
    }

    /// A loop, and not `map`, which costs a generic call for each row.
    func models<M: Model>() throws -> [M] {
        var models: [M] = []
        models.reserveCapacity(count)
        for index in 0..<count { models.append(try model(index)) }
        return models
    }

    /// Rows with a boolean behind the model's columns.
    fileprivate func flagged<M: Model>() throws -> [(row: M, flag: Bool)] {
        try (0..<count).map { index in
            var row = row(index)
            return (try M(row: &row), try row.next(Bool.self))
        }
    }

    fileprivate var rowCount: Int { count > 0 ? count : affected }
}
