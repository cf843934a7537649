/// A column of a model's table: the corresponding property of the model, the column's definition in Postgres, and the
/// rules for the column's values.
public struct Column<Model: Sendable, Value: SQLValue>: Sendable {
    /// The key path of the model's property that the column maps to.
    public let path: WritableKeyPath<Model, Value> & Sendable
    /// The column's definition in Postgres, and how API clients can use the column.
    public let definition: ColumnDefinition
    /// The column's default, for a new row that does not set the column; `nil` if there is no default.
    public let defaultValue: DefaultValue<Value>?
    /// Computes the column's new value for an update that does not set the column, such as the next version; `nil` if
    /// the value remains unchanged. Only the in-memory repository, which replaces Postgres in unit tests, calls the
    /// closure.
    public let updatedValue: (@Sendable (_ value: Value, _ now: Timestamp) -> Value)?
    /// The column's name, quoted where SQL requires it.
    public let reference: String
    /// The validations that the rules define. Each returns an error message, or `nil` for a valid value.
    private let problems: [@Sendable (Value) -> String?]

    /// Creates a column.
    /// - Parameters:
    ///   - path: The key path of the model's property; a property of optional type makes the column nullable.
    ///   - name: The column's name in the table, and the field's name in the API.
    ///   - rules: Constraints on the values, and how API clients can use the column: `.length(1...255), .sortable`.
    ///   - type: The Postgres type, if it is not `Value.typeName`. A rule `.length` with an upper bound overrides this
    ///     argument.
    ///   - defaultValue: The default, for an INSERT that omits the column.
    ///   - onUpdate: The new value for an UPDATE that omits the column. A column with such a value is read-only for
    ///     clients.
    ///   - table: The table whose primary key the column references (a foreign key).
    ///   - onDelete: What happens to a row when the row that it references is deleted; `.setNull` needs a property of
    ///     optional type.
    public init(
        _ path: WritableKeyPath<Model, Value> & Sendable, _ name: String, _ rules: Rule<Value>..., type: String? = nil,
        default defaultValue: DefaultValue<Value>? = nil, onUpdate: DefaultValue<Value>? = nil,
        references table: (any Tabular.Type)? = nil, onDelete: DeleteAction = .refuse
    ) {
        guard onDelete != .setNull || Value.null != nil else {
            fatalError("\(name) cannot be NULL: .setNull needs an optional property")
        }
        self.path = path
        problems = rules.compactMap { $0.problem }
        self.defaultValue = defaultValue ?? rules.lazy.compactMap(\.defaultValue).first
        if let onUpdate {
            updatedValue = { _, now in onUpdate.compute(0, now) }
        } else {
            updatedValue = rules.lazy.compactMap(\.updatedValue).first
        }
        var definition = ColumnDefinition(
            name: name, type: type ?? Value.typeName, oid: Value.type, isNullable: Value.null != nil,
            defaultValue: self.defaultValue?.expression, isSerial: self.defaultValue?.isSerial ?? false,
            references: table.map { $0.definition.primaryKeyReference }, onUpdate: onUpdate?.expression)
        definition.onDelete = onDelete
        definition.field.choices = Value.choices
        definition.field.isReadOnly = onUpdate != nil || definition.isSerial
        for rule in rules { rule.declare(&definition) }
        self.definition = definition
        reference = definition.reference
    }

    /// Validates a value against the rules.
    /// - Returns: An error message for clients, such as `must have 1 to 255 characters`; `nil` for a valid value.
    public func problem(with value: Value) -> String? {
        for problem in problems {
            if let problem = problem(value) { return problem }
        }
        return nil
    }
}
