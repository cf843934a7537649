import CLibPQ
import EventLoop
import Glibc
import SQL

/// The result of a statement: rows, or the number of affected rows. The object owns and frees libpq's memory.
///
/// `@unchecked Sendable` is sound because a PGresult is not mutated once it has been created, and is cleared when no
/// reference is left.
public final class Result: @unchecked Sendable {
    // Owned by this object: cleared in deinit, never handed out.
    private let handle: OpaquePointer

    init(owning handle: OpaquePointer, at time: Instant = .now) {
        self.handle = handle
        (sent, received) = (time, time)
    }

    /// A new result without rows and columns, which does not come from a statement.
    public static var empty: Result {
        guard let handle = PQmakeEmptyPGresult(nil, PGRES_TUPLES_OK) else { preconditionFailure("out of memory") }
        return Result(owning: handle)
    }

    /// Creates a result without a server, for benchmarks of result processing. The result has one column for each type.
    /// - Parameters:
    ///   - types: The object ids (OIDs) of the columns' types.
    ///   - rows: The encoded values of each row; `nil` is NULL.
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

    // Written once, before the waiting task gets the result.
    /// When the statement was sent. In a batch, only the last result has the time; the others have `.distantFuture`.
    public internal(set) var sent: Instant
    /// When the result was received completely. In a batch, only the last result has the time; the others have
    /// `.distantFuture`.
    public internal(set) var received: Instant
    /// The time from sending the statement until its result was received completely. In a batch, the last result has
    /// the time of the whole batch, and the others have zero.
    public var elapsed: Duration { received.duration(since: sent) }
    /// Whether the statement needed no preparation: the statement had been prepared on its connection before, or was
    /// executed without a prepared statement. In a batch, the last result has the value for the whole batch, and the
    /// others have `true`.
    public internal(set) var wasPrepared = true

    deinit { PQclear(handle) }

    /// The number of rows.
    public var count: Int { Int(PQntuples(handle)) }

    /// The number of affected rows: inserted, updated, deleted or selected.
    public var affected: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    /// The size of the result in memory, in bytes.
    public var bytes: Int { PQresultMemorySize(handle) }

    /// The command tag: `COMMIT`, `INSERT 0 1`.
    public var tag: String { String(cString: PQcmdStatus(handle)) }

    /// Returns the row at an index; the first row has the index 0.
    public func row(_ index: Int) -> ResultRow { ResultRow(result: self, index: Int32(index)) }

    /// Decodes the value in a row and a column. A column that does not exist counts as NULL. Only a value of length 0
    /// is checked for NULL, because libpq reports that length for NULL.
    func cell<Value: SQLValue>(_ row: Int32, _ column: Int32) throws(DecodingError) -> Value {
        let count = Int(PQgetlength(handle, row, column))
        guard count > 0 || PQgetisnull(handle, row, column) == 0 else {
            if let null = Value.null { return null }
            throw DecodingError("\(name(column)) is NULL or missing, but \(Value.self) is not optional")
        }
        return try Value(binary: UnsafeRawBufferPointer(start: PQgetvalue(handle, row, column), count: count))
    }

    private func name(_ column: Int32) -> String { PQfname(handle, column).map { String(cString: $0) } ?? "a column" }

    // MARK: Columns

    /// A column of a result, as the server describes it.
    public struct Column: Hashable, Sendable {
        /// The column's name.
        public let name: String
        /// The object id (OID) of the column's type.
        public let type: UInt32
        /// The object id (OID) of the table that the column comes from, and the number of the column in that table;
        /// both are 0 for an expression.
        public let table: UInt32, number: Int
    }

    /// The columns of the result.
    public var columns: [Column] {
        (0..<PQnfields(handle)).map { index in
            Column(
                name: name(index), type: PQftype(handle, index), table: PQftable(handle, index),
                number: Int(PQftablecol(handle, index)))
        }
    }

    /// The object ids (OIDs) of the parameters' types; empty unless this result describes a prepared statement.
    public var parameterTypes: [UInt32] { (0..<PQnparams(handle)).map { PQparamtype(handle, $0) } }

    // MARK: Outcome

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

    /// The error that a failed result reports.
    var error: PostgresError {
        PostgresError(
            ["FATAL", "PANIC"].contains(field("V")) ? .terminated : .server, state: field("C").map { SQLState($0) },
            message: field("M") ?? "no message", detail: field("D"),
            constraint: field("n"), table: field("t"), column: field("c"), position: field("P").flatMap { Int($0) },
            routine: field("R"))
    }

    /// Returns a field of the error report, selected by its code, such as `M` for the message (Postgres manual, section
    /// 55.8); `nil` if the report does not have the field.
    private func field(_ letter: Unicode.Scalar) -> String? {
        PQresultErrorField(handle, Int32(letter.value)).map { String(cString: $0) }
    }
}
