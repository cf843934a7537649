import EventLoop
import Postgres
import SQL

extension Database {
    /// Reads the rows that are selected chunk by chunk, all of one snapshot, on a connection that nobody else uses meanwhile.
    ///
    /// One chunk is read ahead while `body` has the one before it, and none after that until `body` returns: what is in memory
    /// does not depend on how many rows there are. When `body` takes more than 15 s for one, Postgres ends the reading, and
    /// this throws, unless there are no more rows. In a transaction, all rows are one chunk. Of no rows, there is no chunk.
    /// - Throws: `DatabaseError`, of kind `busy` when other streams had all connections for 2 s; `DecodingError` when the table is
    ///   not the model's; and what `body` throws.
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

    /// Hands each chunk to `body` but the last one, and has the reading recorded as one statement.
    /// - Returns: the last chunk, which needs no connection any more.
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
                record.goOn()
            }
            record.add(last)
            note(record.end())
            return last.models
        } catch {
            note(record.end(error))
            throw error
        }
    }
}

extension Database {
    /// Reads from a replica where the session allows it, and from another server when that one fails before its first chunk.
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
    /// Reads through a cursor on a lease. One that is lost before a chunk was handed on is replaced, once.
    fileprivate func chunks<M: Model>(
        _ declaration: Statement, _ body: (Cursor<M>.Chunk) async throws -> Void
    ) async throws -> Cursor<M>.Chunk {
        var mayReplace = true
        while true {
            do {
                return try await lease { lease in
                    try await Cursor<M>(lease: lease).read(declaration) { chunk in
                        mayReplace = false
                        try await body(chunk)
                    }
                }
            } catch let error as PostgresError where mayReplace && error.isWorthAnotherConnection {
                mayReplace = false
            }
        }
    }
}

extension PostgresError {
    fileprivate var isWorthAnotherConnection: Bool { [.lost, .notSent, .terminated].contains(kind) || isStale }
}
