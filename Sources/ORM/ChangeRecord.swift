import Postgres
import SQL

/// A recorded change of one row. A trigger writes the record in the transaction of the change.
public struct ChangeRecord<Row: Model>: Sendable {
    /// The record's id, by which the changes of a row are ordered.
    public var id: Int64
    /// The operation that changed the row.
    public var operation: ChangeOperation
    /// The author of the change: the client's name, such as `key:crm` for the API key named `crm`, or the role of a
    /// database session outside the API, such as `role:postgres`; `nil` for an anonymous client.
    public var author: String?
    /// The id of the request that made the change; `nil` for a change that was not made by a request.
    public var requestID: String?
    /// When the transaction that changed the row began.
    public var changedOn: Timestamp
    /// The row before the change; `nil` for an insert.
    public var before: Row?
    /// The row after the change; `nil` for a deletion.
    public var after: Row?
    /// Whether an earlier change of the row is recorded.
    public var hasEarlier: Bool
}

/// An operation that changes a row.
public enum ChangeOperation: String, Enumeration { case insert, update, delete }

/// The table of change records, which the trigger function `record_change` writes.
public enum ChangeRecords {
    /// The definition of the table of change records.
    public static let definition = TableDefinition(
        RecordingTrigger.records,
        columns: [
            ColumnDefinition(name: "table_name", type: "text", oid: String.type, isPrimaryKey: true),
            ColumnDefinition(name: "row_id", type: "text", oid: String.type, isPrimaryKey: true),
            ColumnDefinition(name: "id", type: "bigint", oid: Int64.type, isSerial: true, isPrimaryKey: true),
            operation,
            ColumnDefinition(name: "author", type: "text", oid: String.type, isNullable: true),
            ColumnDefinition(name: "request_id", type: "text", oid: String.type, isNullable: true),
            ColumnDefinition(name: "changed_on", type: Timestamp.typeName, oid: Timestamp.type, defaultValue: "now()"),
            ColumnDefinition(name: "before", type: "jsonb", oid: JSONB.type, isNullable: true),
            ColumnDefinition(name: "after", type: "jsonb", oid: JSONB.type, isNullable: true),
        ])

    private static var operation: ColumnDefinition {
        var column = ColumnDefinition(name: "operation", type: "text", oid: String.type)
        column.field.choices = ChangeOperation.choices
        return column
    }
}

extension ChangeRecord {
    init(row: inout ResultRow) throws(DecodingError) {
        id = try row.next()
        operation = try row.next()
        author = try row.next(String?.self)
        requestID = try row.next(String?.self)
        changedOn = try row.next()
        let (hasBefore, hasAfter) = (try row.next(Bool.self), try row.next(Bool.self))
        hasEarlier = try row.next()
        let (former, latter) = (try Row(row: &row), try Row(row: &row))
        (before, after) = (hasBefore ? former : nil, hasAfter ? latter : nil)
    }
}
