import EventLoop
import Postgres
import SQL

extension Database {
    /// Streams the selected rows to `body` in chunks, all from one snapshot, with exclusive use of a connection.
    ///
    /// The next chunk is fetched while `body` processes the previous one, so that memory usage does not depend on the
    /// number of rows. If `body` takes more than 15 s for a chunk and there are more rows, Postgres terminates the
    /// transaction and this method throws. If the database is that of a transaction, all rows are one chunk. If no row
    /// is selected, `body` is not called.
    /// - Throws: `DatabaseError`, of kind `busy` if other streams use all connections for 2 s; `DecodingError` if the
    ///   table's columns do not match the model; and what `body` throws.
    public func stream<M: Model>(
        _ select: Select<M>, _ file: StaticString = #fileID, _ line: UInt = #line, _ body: ([M]) async throws -> Void
    ) async throws {
        let last =
            if let streams {
                try await read(select.statement, on: streams, CallSite(file, line), body)
            } else {
                try await all(select, file, line)
            }
        if !last.isEmpty { try await body(last) }
    }

    /// Calls `body` with each chunk except the last one, and records the stream as one statement.
    /// - Returns: The rows of the last chunk, which no longer need the connection.
    private func read<M: Model>(
        _ statement: Statement, on streams: Pool, _ site: CallSite, _ body: ([M]) async throws -> Void
    ) async throws -> [M] {
        let declaration = Cursor<M>.declaration(of: statement)
        var record = StreamRecord(declaration, at: site, columns: M.definition.columns)
        do {
            let last = try await chunks(declaration, on: streams) { (chunk: Cursor<M>.Chunk) in
                record.add(chunk)
                record.pause()
                try await body(chunk.models)
                record.resume()
            }
            record.add(last)
            report(record.end())
            return last.models
        } catch {
            report(record.end(error))
            throw error
        }
    }
}

extension Database {
    /// Reads chunks from the primary or, if the current causal session allows it, from a replica, and calls `body` with
    /// each chunk except the last one. If the server fails before `body` is called, the read is retried on another
    /// server that the session allows.
    /// - Returns: The last chunk.
    private func chunks<M: Model>(
        _ declaration: Statement, on streams: Pool, _ body: (Cursor<M>.Chunk) async throws -> Void
    ) async throws -> Cursor<M>.Chunk {
        guard let replicas, let session = CausalSession.current else {
            return try await streams.chunks(declaration, body)
        }
        var hasBegun = false
        return try await replicas.read(for: session, \.streams, hasBegun: { hasBegun }) {
            try await $0.chunks(declaration) { chunk in
                hasBegun = true
                try await body(chunk)
            }
        }
    }
}

extension Pool {
    /// Reads chunks through a cursor on a leased connection, and calls `body` with each chunk except the last one. If
    /// the connection is lost before `body` is called, the read is retried once on another connection.
    /// - Returns: The last chunk.
    fileprivate func chunks<M: Model>(
        _ declaration: Statement, _ body: (Cursor<M>.Chunk) async throws -> Void
    ) async throws -> Cursor<M>.Chunk {
        var canRetry = true
        while true {
            do {
                return try await lease { lease in
                    try await Cursor<M>(lease: lease).read(declaration) { chunk in
                        canRetry = false
                        try await body(chunk)
                    }
                }
            } catch let error as PostgresError where canRetry && error.isRetryableOnAnotherConnection {
                canRetry = false
            }
        }
    }
}

extension PostgresError {
    /// Whether a read that failed with this error may succeed on another connection.
    fileprivate var isRetryableOnAnotherConnection: Bool { [.lost, .notSent, .terminated].contains(kind) || isStale }
}
