import SQL

extension IdempotencyKey {
    /// The definition of the table that stores, for each idempotency key, the request's hash and the rows that the
    /// request inserted, as JSON.
    public static let definition = TableDefinition(
        "idempotency_key",
        columns: [
            ColumnDefinition(name: "scope", type: "text", oid: String.type, isPrimaryKey: true),
            ColumnDefinition(name: "key", type: "text", oid: String.type, isPrimaryKey: true),
            ColumnDefinition(name: "request", type: "bytea", oid: Bytes.type),
            ColumnDefinition(name: "answer", type: "jsonb", oid: JSONB.type),
            ColumnDefinition(
                name: "created_on", type: Timestamp.typeName, oid: Timestamp.type, defaultValue: "now()"),
        ], indexes: [IndexDefinition("idempotency_key_created_on_idx", on: "created_on")])
}
