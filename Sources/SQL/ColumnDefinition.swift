/// What Postgres knows of a column.
public struct ColumnDefinition: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The type, as `format_type` writes it: `character varying(255)`.
    public var type: String
    /// The object id of the type that it is read and sent as.
    public var oid: UInt32
    /// Whether it may be NULL.
    public var isNullable = false
    /// The expression of its default.
    public var defaultValue: String?
    /// Whether Postgres counts it up by a sequence of the column's own.
    public var isSerial = false
    /// Whether it is the primary key.
    public var isPrimaryKey = false
    /// Whether no two rows may have the same value.
    public var isUnique = false
    /// What each value must be: an expression.
    public var check: String?
    /// The table and the column that have each value: `campaign (id)`.
    public var references: String?

    /// The name as SQL wants it.
    public var reference: String { identifier(name) }

    /// A name as SQL wants it: in quotes where it needs them.
    public static func quoted(_ name: String) -> String { identifier(name) }
}
