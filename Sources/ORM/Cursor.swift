import EventLoop
import Postgres
import SQL

/// A cursor in a read-only transaction on a lease: rows of one snapshot, a chunk at a time.
struct Cursor<M: Model>: Sendable {
    /// Rows that were read together.
    struct Chunk: Sendable {
        let models: [M]
        /// How many rows to ask for next; `nil` when there are no more.
        let next: FetchSize?
        let sent: Instant
        let elapsed: Duration
        let wasPrepared: Bool
    }

    let lease: Lease

    /// The statement that makes the cursor for the rows of another one.
    static func declaration(of statement: Statement) -> Statement {
        statement.prefixed(unsafe: "DECLARE rows NO SCROLL CURSOR FOR ")
    }

    /// Hands each chunk to `body` but the last one, which may be empty, and gives the connection up before it returns that one.
    ///
    /// Postgres works on a chunk while `body` has the one before it.
    /// - Throws: `PostgresError`, `DecodingError`, `CancellationError`, and what `body` throws.
    func read(_ declaration: Statement, _ body: (Chunk) async throws -> Void) async throws -> Chunk {
        do {
            var chunk = try await open(declaration)
            while let size = chunk.next {
                async let next = fetch(size)
                try await body(chunk)
                chunk = try await next
            }
            // What was read stays read, whatever comes of it.
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
        let results = try await lease.execute(["BEGIN READ ONLY", Self.patience, declaration, size.statement])
        return try Chunk(results[3], asked: size)
    }

    private func fetch(_ size: FetchSize) async throws -> Chunk {
        try Chunk(try await lease.execute(size.statement), asked: size)
    }

    private func rollBack() async {
        if lease.isInTransaction { try? await lease.rollBack() }
    }

    /// Whom the rows are for may take longer to take a chunk than a transaction may rest otherwise.
    private static var patience: Statement { "SET LOCAL idle_in_transaction_session_timeout = 15000" }
}

extension Cursor.Chunk {
    /// Reads the rows at once, so that their bytes need not be kept beside them.
    fileprivate init(_ result: Result, asked size: FetchSize) throws {
        models = try result.models()
        next = result.count < size.rows ? nil : size.next(after: result.bytes)
        (sent, elapsed, wasPrepared) = (result.sent, result.elapsed, result.wasPrepared)
    }
}

/// How many rows a cursor is asked for: as many as are likely to make a chunk of up to 256 KiB.
///
/// It is a power of two, so that there are few texts to be prepared.
struct FetchSize: Equatable, Sendable {
    /// The number of rows; the first ones are few, since nothing is known of their size.
    private(set) var rows = 4

    private static let most = 2048
    private static let bytes = 256 << 10

    /// The size to go on with when this many rows took so many bytes: four times as many rows at most.
    func next(after bytes: Int) -> FetchSize {
        let fitting = rows * FetchSize.bytes / max(1, bytes)
        return FetchSize(rows: min(fitting, 4 * rows, FetchSize.most).powerOfTwo)
    }

    var statement: Statement { Statement(unsafe: "FETCH \(rows) FROM rows") }
}

extension Int {
    /// The greatest power of two that is not greater; 1 when there is none.
    fileprivate var powerOfTwo: Int { self < 1 ? 1 : 1 << (Int.bitWidth - 1 - leadingZeroBitCount) }
}
