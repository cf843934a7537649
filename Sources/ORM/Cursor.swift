import EventLoop
import Postgres
import SQL

/// A database cursor in a read-only transaction on a leased connection. The cursor reads the rows of one snapshot in
/// chunks.
struct Cursor<M: Model>: Sendable {
    /// The rows of one FETCH.
    struct Chunk: Sendable {
        /// The rows, decoded as models.
        let models: [M]
        /// The size of the next FETCH; `nil` if there are no more rows.
        let next: FetchSize?
        /// When the FETCH was sent.
        let sent: Instant
        /// The duration of the FETCH.
        let elapsed: Duration
        /// Whether the FETCH statement had been prepared on the connection before.
        let wasPrepared: Bool
    }

    /// The lease of the connection.
    let lease: Lease

    /// Returns the statement that declares a cursor for a query (DECLARE).
    static func declaration(of statement: Statement) -> Statement {
        statement.prefixed(unsafe: "DECLARE rows NO SCROLL CURSOR FOR ")
    }

    /// Calls `body` with each chunk except the last one, and returns the last chunk, which may be empty. When the
    /// method returns, the transaction has ended, so that the last chunk can be processed without the connection.
    ///
    /// The next chunk is fetched while `body` processes the previous one.
    /// - Throws: `PostgresError`, `DecodingError`, `CancellationError`, and what `body` throws.
    func read(_ declaration: Statement, _ body: (Chunk) async throws -> Void) async throws -> Chunk {
        do {
            var chunk = try await open(declaration)
            while let size = chunk.next {
                async let next = fetch(size)
                try await body(chunk)
                chunk = try await next
            }
            // The rows have been read, whatever the outcome of the COMMIT.
            _ = try? await lease.execute("COMMIT")
            await rollBack()
            return chunk
        } catch {
            await rollBack()
            throw error
        }
    }

    private func open(_ declaration: Statement) async throws -> Chunk {
        let size = FetchSize()
        let results = try await lease.execute(["BEGIN READ ONLY", Self.idleTimeout, declaration, size.statement])
        return try Chunk(results[3], asked: size)
    }

    private func fetch(_ size: FetchSize) async throws -> Chunk {
        try Chunk(try await lease.execute(size.statement), asked: size)
    }

    private func rollBack() async {
        if lease.isInTransaction { try? await lease.rollBack() }
    }

    /// The statement that extends the timeout for idle transactions: the transaction may be idle while a chunk is
    /// processed.
    private static var idleTimeout: Statement { "SET LOCAL idle_in_transaction_session_timeout = 15000" }
}

extension Cursor.Chunk {
    /// Creates a chunk by decoding all rows of a result, so that the result does not have to stay in memory as well.
    fileprivate init(_ result: Result, asked size: FetchSize) throws {
        models = try result.models()
        next = result.count < size.rows ? nil : size.next(after: result.bytes)
        (sent, elapsed, wasPrepared) = (result.sent, result.elapsed, result.wasPrepared)
    }
}

/// The number of rows of a FETCH, chosen such that a chunk has about 256 KiB at most.
///
/// The number is a power of two, so that only a few different statements have to be prepared.
struct FetchSize: Equatable, Sendable {
    /// The number of rows. The first FETCH reads only 4 rows, because the size of the rows is not known yet.
    private(set) var rows = 4

    private static let maximumRows = 2048
    private static let targetBytes = 256 << 10

    /// Returns the size of the next FETCH: at most four times this size.
    /// - Parameter bytes: the number of bytes that the FETCH of this size has returned.
    func next(after bytes: Int) -> FetchSize {
        let fitting = rows * FetchSize.targetBytes / max(1, bytes)
        return FetchSize(rows: min(fitting, 4 * rows, FetchSize.maximumRows).powerOfTwo)
    }

    /// The FETCH statement.
    var statement: Statement { Statement(unsafe: "FETCH \(rows) FROM rows") }
}

extension Int {
    /// The largest power of two that is not greater than the number; 1 for numbers below 1.
    fileprivate var powerOfTwo: Int { self < 1 ? 1 : 1 << (Int.bitWidth - 1 - leadingZeroBitCount) }
}
