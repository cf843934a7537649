import EventLoop
import Postgres
import SQL
import Scoreboard

/// A record of a stream as one statement, whatever the number of chunks. The record also sets the phase of the
/// request's activity while the stream is read.
struct StreamRecord {
    private var entry: ExecutedStatement
    private var sent: Instant?
    private let start = Instant.now
    private let activity = RequestActivity.current

    init(_ declaration: Statement, at site: CallSite, columns: [ColumnDefinition]) {
        entry = ExecutedStatement(declaration, at: site, columns: columns)
        activity?.beginQuery(declaration.text)
    }

    /// Adds the rows and the duration of a chunk to the statement.
    mutating func add<M>(_ chunk: Cursor<M>.Chunk) {
        entry.rows += chunk.models.count
        entry.executing += chunk.elapsed
        guard sent == nil else { return }
        sent = chunk.sent
        entry.waiting = max(.zero, chunk.sent.duration(since: start))
        entry.wasPrepared = chunk.wasPrepared
    }

    /// Sets the request's phase to working, before a chunk is processed.
    func pause() { activity?.phase = .working }

    /// Sets the request's phase to waiting for the database, after a chunk has been processed.
    func resume() { activity?.phase = .inQuery }

    /// Ends the recording, with an error if the stream failed.
    /// - Returns: The statement to record.
    mutating func end(_ error: (any Error)? = nil) -> ExecutedStatement {
        if let error { entry.error = (error as? PostgresError)?.state?.code ?? "\(type(of: error))" }
        if sent == nil { entry.executing = Instant.now.duration(since: start) }
        activity?.endQuery(waited: Int(entry.waiting.nanoseconds), executed: Int(entry.executing.nanoseconds))
        return entry
    }
}
