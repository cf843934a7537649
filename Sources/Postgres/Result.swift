import CLibPQ
import SQL

/// What a statement returned: rows, or the number of those that it changed. It owns libpq's memory, and frees it.
///
/// Sound as `@unchecked Sendable`: nothing changes a PGresult once it is made, and it is cleared when nobody holds it.
public final class Result: @unchecked Sendable {
    // Owned here: cleared in deinit, never handed out.
    private let handle: OpaquePointer

    init(owning handle: OpaquePointer) { self.handle = handle }

    deinit { PQclear(handle) }

    /// How many rows it has.
    public var count: Int { Int(PQntuples(handle)) }

    /// How many rows the statement touched: inserted, updated, deleted or selected.
    public var affected: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    /// What Postgres says that it did: `COMMIT`, `INSERT 0 1`.
    public var tag: String { String(cString: PQcmdStatus(handle)) }

    /// Reads a row, from its first column on.
    public func row(_ index: Int) -> Row { Row(result: self, index: Int32(index)) }

    /// Reads a cell. libpq has no length but 0 for NULL, and for a column that is not there, which it calls NULL too.
    func cell<Value: PostgresValue>(_ row: Int32, _ column: Int32) throws(DecodingError) -> Value {
        let count = Int(PQgetlength(handle, row, column))
        guard count > 0 || PQgetisnull(handle, row, column) == 0 else {
            if let null = Value.null { return null }
            throw DecodingError("\(name(column)) is NULL or missing, but \(Value.self) has no room for that")
        }
        return try Value(binary: UnsafeRawBufferPointer(start: PQgetvalue(handle, row, column), count: count))
    }

    private func name(_ column: Int32) -> String { PQfname(handle, column).map { String(cString: $0) } ?? "a column" }

    // MARK: What became of it

    enum Status { case done, failed, pipelineEnd, pipelineAborted }

    var status: Status {
        switch PQresultStatus(handle) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .done
        case PGRES_PIPELINE_SYNC: .pipelineEnd
        case PGRES_PIPELINE_ABORTED: .pipelineAborted
        default: .failed
        }
    }

    /// The error that it stands for.
    var error: PostgresError {
        PostgresError(
            .server, state: field("C").map { SQLState($0) }, message: field("M") ?? "no message",
            constraint: field("n"), position: field("P").flatMap { Int($0) })
    }

    /// A field of an error, by the letter that the protocol gives it (Postgres manual, chapter 55.8).
    private func field(_ letter: Unicode.Scalar) -> String? {
        PQresultErrorField(handle, Int32(letter.value)).map { String(cString: $0) }
    }
}
