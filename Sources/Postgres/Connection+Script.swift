import CLibPQ
import EventLoop

extension Connection {
    /// Runs a text of any number of statements, which have no parameters, with no limit of time: a migration's.
    ///
    /// Postgres runs them as one transaction, unless they say otherwise (Postgres manual, chapter 55.2.2.1). Nothing else may
    /// be under way on the connection.
    /// - Returns: what the last statement returned.
    /// - Throws: `PostgresError`, with the position of the failing statement's error in the text.
    @discardableResult
    public func script(_ text: String) async throws -> Result {
        precondition(depth == 0, "a script needs the connection for itself")
        defer { PQenterPipelineMode(handle) }
        return try await withUnsafeThrowingContinuation { continuation in
            guard isOpen, PQexitPipelineMode(handle) == 1, PQsendQuery(handle, text) == 1 else {
                return continuation.resume(throwing: Connection.lost)
            }
            enqueue(InFlight(continuation, sent: loop.now, limit: .seconds(Int64.max), isScript: true))
            flush()
        }
    }
}
