import EventLoop
import Postgres
import SQL
import Scoreboard

/// What is recorded of a stream, and shown of it meanwhile: one statement, whatever the number of chunks.
struct StreamRecord {
    private var entry: ExecutedStatement
    private var sent: Instant?
    private let start = Instant.now
    private let activity = RequestActivity.current

    init(_ declaration: Statement, at site: CallSite, columns: [ColumnDefinition]) {
        entry = ExecutedStatement(declaration, at: site, columns: columns)
        activity?.beginQuery(declaration.text)
    }

    /// Adds what a chunk took.
    mutating func add<M>(_ chunk: Cursor<M>.Chunk) {
        entry.rows += chunk.models.count
        entry.executing += chunk.elapsed
        guard sent == nil else { return }
        sent = chunk.sent
        entry.waiting = max(.zero, chunk.sent.duration(since: start))
        entry.wasPrepared = chunk.wasPrepared
    }

    /// Shows that the database is not waited for.
    func pause() { activity?.phase = .working }

    /// Shows that it is.
    func goOn() { activity?.phase = .inQuery }

    /// - Returns: what is to be recorded.
    mutating func end(_ error: (any Error)? = nil) -> ExecutedStatement {
        if let error { entry.error = (error as? PostgresError)?.state?.code ?? "\(type(of: error))" }
        if sent == nil { entry.executing = Instant.now.duration(since: start) }
        activity?.endQuery(waited: Int(entry.waiting.nanoseconds), executed: Int(entry.executing.nanoseconds))
        return entry
    }
}
