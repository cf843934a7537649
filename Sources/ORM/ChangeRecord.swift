import Postgres
import SQL

/// One change of one row, as a trigger has recorded it in the transaction of the change.
public struct ChangeRecord<Row: Model>: Sendable {
    /// Orders the changes of a row.
    public var id: Int64
    public var operation: ChangeOperation
    /// Who made it: `key:crm`, or `role:postgres` for a session of Postgres's; `nil` for a client that has not authenticated.
    public var author: String?
    /// The request that made it; `nil` when it was none.
    public var requestID: String?
    public var changedOn: Timestamp
    /// The row before it; `nil` for an insert.
    public var before: Row?
    /// The row after it; `nil` for a deletion.
    public var after: Row?
    /// Whether there is an earlier change of the row.
    public var hasEarlier: Bool
}

/// What was done to a row.
public enum ChangeOperation: String, Enumeration { case insert, update, delete }

/// The table of all records, which the function `record_change` writes.
public enum ChangeRecords {
    /// The table.
    public static let definition = TableDefinition(
        TableDefinition.records,
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
