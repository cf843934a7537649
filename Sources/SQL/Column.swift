/// A column of a model's table: the place of its values in the model, what Postgres knows of it, and what its values must be.
public struct Column<Model: Sendable, Value: SQLValue>: Sendable {
    /// Where a model has the column's value.
    public let path: WritableKeyPath<Model, Value> & Sendable
    /// What Postgres knows of it, and what clients may do with it.
    public let definition: ColumnDefinition
    /// What an insert that leaves the column out gives it, in memory.
    public let fallback: DefaultValue<Value>?
    /// What an update that leaves the column out makes of its value, in memory.
    public let successor: (@Sendable (_ value: Value, _ now: Timestamp) -> Value)?
    /// The name as SQL wants it.
    public let reference: String
    /// What the rules that check values say.
    private let problems: [@Sendable (Value) -> String?]

    /// Makes a column.
    /// - Parameters:
    ///   - path: where a model has its value; an optional one makes the column nullable.
    ///   - name: its name in the table, and for clients.
    ///   - rules: what its values must be, and what clients may do with it: `.length(1...255), .trimmed, .unique`.
    ///   - type: its Postgres type, where that is not the usual one of `Value` and no rule says it.
    ///   - default: what it is when an insert leaves it out.
    ///   - onUpdate: what it becomes when an update leaves it out; clients may not set it then.
    ///   - references: the table whose primary key has each value.
    ///   - onDelete: what becomes of a row when the row that it refers to is deleted; `.setNull` needs an optional `path`.
    public init(
        _ path: WritableKeyPath<Model, Value> & Sendable, _ name: String, _ rules: Rule<Value>..., type: String? = nil,
        default fallback: DefaultValue<Value>? = nil, onUpdate: DefaultValue<Value>? = nil,
        references table: (any Tabular.Type)? = nil, onDelete: DeleteAction = .refuse
    ) {
        precondition(
            onDelete != .setNull || Value.null != nil, "\(name) cannot be NULL: .setNull needs an optional property")
        self.path = path
        problems = rules.compactMap { $0.problem }
        self.fallback = fallback ?? rules.lazy.compactMap(\.fallback).first
        if let onUpdate {
            successor = { _, now in onUpdate.make(0, now) }
        } else {
            successor = rules.lazy.compactMap(\.successor).first
        }
        var definition = ColumnDefinition(
            name: name, type: type ?? Value.typeName, oid: Value.type, isNullable: Value.null != nil,
            defaultValue: self.fallback?.expression, isSerial: self.fallback?.isSerial ?? false,
            references: table.map { $0.definition.primaryKeyReference }, onUpdate: onUpdate?.expression)
        definition.onDelete = onDelete
        definition.field.choices = Value.choices
        definition.field.isReadOnly = onUpdate != nil || definition.isSerial
        for rule in rules { rule.declare(&definition) }
        self.definition = definition
        reference = definition.reference
    }

    /// What is wrong with a value, by the rules: `must have 1 to 255 characters`; `nil` when nothing is.
    public func problem(with value: Value) -> String? {
        for problem in problems {
            if let problem = problem(value) { return problem }
        }
        return nil
    }
}
