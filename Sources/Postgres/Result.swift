import CLibPQ
import EventLoop
import Glibc
import SQL

/// What a statement returned: rows, or the number of those that it changed. It owns libpq's memory, and frees it.
///
/// Sound as `@unchecked Sendable`: nothing changes a PGresult once it is made, and it is cleared when nobody holds it.
public final class Result: @unchecked Sendable {
    // Owned here: cleared in deinit, never handed out.
    private let handle: OpaquePointer

    init(owning handle: OpaquePointer, at time: Instant = .now) {
        self.handle = handle
        (sent, received) = (time, time)
    }

    /// A result without rows and columns, of no statement.
    public static var empty: Result {
        guard let handle = PQmakeEmptyPGresult(nil, PGRES_TUPLES_OK) else { preconditionFailure("out of memory") }
        return Result(owning: handle)
    }

    /// A result of one column for each type, made without a server, for measuring what is done with results.
    /// - Parameter rows: the columns' values, encoded; `nil` is NULL.
    package static func made(types: [UInt32], rows: [[[UInt8]?]]) -> Result {
        let result = empty
        var attributes = types.map { type in
            // Sound: libpq copies the name.
            PGresAttDesc(
                name: strdup("column"), tableid: 0, columnid: 0, format: 1, typid: type, typlen: -1, atttypmod: -1)
        }
        defer { attributes.forEach { free($0.name) } }
        PQsetResultAttrs(result.handle, Int32(attributes.count), &attributes)
        for (row, values) in rows.enumerated() {
            for (column, value) in values.enumerated() {
                var bytes = value?.map(CChar.init(bitPattern:)) ?? []
                bytes.append(0)
                PQsetvalue(result.handle, Int32(row), Int32(column), &bytes, value.map { Int32($0.count) } ?? -1)
            }
        }
        return result
    }

    // Written once, before the task that waits gets the result.
    /// When the statement was sent.
    public internal(set) var sent: Instant
    /// When all of it was there.
    public internal(set) var received: Instant
    /// How long that took.
    public var elapsed: Duration { received.duration(since: sent) }
    /// Whether it had been prepared on its connection before.
    public internal(set) var wasPrepared = true

    deinit { PQclear(handle) }

    /// How many rows it has.
    public var count: Int { Int(PQntuples(handle)) }

    /// How many rows the statement touched: inserted, updated, deleted or selected.
    public var affected: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    /// How many bytes of memory it holds.
    public var bytes: Int { PQresultMemorySize(handle) }

    /// What Postgres says that it did: `COMMIT`, `INSERT 0 1`.
    public var tag: String { String(cString: PQcmdStatus(handle)) }

    /// Reads a row, from its first column on.
    public func row(_ index: Int) -> ResultRow { ResultRow(result: self, index: Int32(index)) }

    /// Reads a cell. libpq has no length but 0 for NULL, and for a column that is not there, which it calls NULL too.
    func cell<Value: SQLValue>(_ row: Int32, _ column: Int32) throws(DecodingError) -> Value {
        let count = Int(PQgetlength(handle, row, column))
        guard count > 0 || PQgetisnull(handle, row, column) == 0 else {
            if let null = Value.null { return null }
            throw DecodingError("\(name(column)) is NULL or missing, but \(Value.self) has no room for that")
        }
        return try Value(binary: UnsafeRawBufferPointer(start: PQgetvalue(handle, row, column), count: count))
    }

    private func name(_ column: Int32) -> String { PQfname(handle, column).map { String(cString: $0) } ?? "a column" }

    // MARK: What it is made of

    /// A column of a result, as the server describes it.
    public struct Column: Hashable, Sendable {
        /// Its name.
        public let name: String
        /// Its type's object id.
        public let type: UInt32
        /// The table that it comes from, by its object id, and its number there; 0 for an expression.
        public let table: UInt32, number: Int
    }

    /// The columns.
    public var columns: [Column] {
        (0..<PQnfields(handle)).map { index in
            Column(
                name: name(index), type: PQftype(handle, index), table: PQftable(handle, index),
                number: Int(PQftablecol(handle, index)))
        }
    }

    /// The object ids of the parameters' types, when this is a description.
    public var parameterTypes: [UInt32] { (0..<PQnparams(handle)).map { PQparamtype(handle, $0) } }

    // MARK: What became of it

    enum Status { case done, failed, pipelineEnd, pipelineAborted, copyIn, copyOut }

    var status: Status {
        switch PQresultStatus(handle) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .done
        case PGRES_PIPELINE_SYNC: .pipelineEnd
        case PGRES_PIPELINE_ABORTED: .pipelineAborted
        case PGRES_COPY_IN: .copyIn
        case PGRES_COPY_OUT: .copyOut
        default: .failed
        }
    }

    /// The error that it stands for.
    var error: PostgresError {
        PostgresError(
            ["FATAL", "PANIC"].contains(field("V")) ? .terminated : .server, state: field("C").map { SQLState($0) },
            message: field("M") ?? "no message", detail: field("D"),
            constraint: field("n"), column: field("c"), position: field("P").flatMap { Int($0) })
    }

    /// A field of an error, by the letter that the protocol gives it (Postgres manual, chapter 55.8).
    private func field(_ letter: Unicode.Scalar) -> String? {
        PQresultErrorField(handle, Int32(letter.value)).map { String(cString: $0) }
    }
}
