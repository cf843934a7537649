/// A column of a model's table: the place of its values in the model, and what Postgres knows of it.
public struct Column<Model: Sendable, Value: SQLValue>: Sendable {
    /// Where a model has the column's value.
    public let path: WritableKeyPath<Model, Value> & Sendable
    /// What Postgres knows of it.
    public let definition: ColumnDefinition
    /// What an insert that leaves the column out gives it, in memory.
    public let fallback: DefaultValue<Value>?
    /// The name as SQL wants it.
    public let reference: String

    /// Makes a column.
    /// - Parameters:
    ///   - path: where a model has its value; an optional one makes the column nullable.
    ///   - name: its name in the table.
    ///   - type: its Postgres type, where that is not the usual one of `Value`: `character varying(255)`.
    ///   - default: what it is when an insert leaves it out.
    ///   - check: an expression that each value must meet.
    ///   - references: the table and the column that have each value: `campaign (id)`.
    public init(
        _ path: WritableKeyPath<Model, Value> & Sendable, _ name: String, type: String? = nil,
        default fallback: DefaultValue<Value>? = nil, isPrimaryKey: Bool = false, isUnique: Bool = false,
        check: String? = nil, references: String? = nil
    ) {
        self.path = path
        self.fallback = fallback
        definition = ColumnDefinition(
            name: name, type: type ?? Value.typeName, oid: Value.type, isNullable: Value.null != nil,
            defaultValue: fallback?.expression, isSerial: fallback?.isSerial ?? false, isPrimaryKey: isPrimaryKey,
            isUnique: isUnique, check: check, references: references)
        reference = definition.reference
    }
}

/// What a column is when an insert leaves it out: in Postgres an expression, in memory a value.
public struct DefaultValue<Value: SQLValue>: Sendable {
    let expression: String?
    let isSerial: Bool
    /// Makes the value of a new row in memory.
    public let make: @Sendable (_ serial: Int64, _ now: Timestamp) -> Value
}

extension DefaultValue where Value: FixedWidthInteger {
    /// The next number of the column's own sequence.
    public static var serial: Self { Self(expression: nil, isSerial: true) { serial, _ in Value(serial) } }
}

extension DefaultValue where Value == Timestamp {
    /// The moment at which the transaction began.
    public static var now: Self { Self(expression: "now()", isSerial: false) { _, now in now } }
}

extension DefaultValue where Value == String {
    /// Always this text.
    public static func value(_ text: String) -> Self {
        Self(expression: "'" + text.replacing("'", with: "''") + "'::text", isSerial: false) { _, _ in text }
    }
}

extension DefaultValue where Value == Bool {
    /// Always this one.
    public static func value(_ value: Bool) -> Self {
        Self(expression: String(value), isSerial: false) { _, _ in value }
    }
}

extension DefaultValue where Value: FixedWidthInteger {
    /// Always this number.
    public static func value(_ value: Value) -> Self {
        Self(expression: String(value), isSerial: false) { _, _ in value }
    }
}
