/// A column's definition in Postgres, and how API clients can use the column.
public struct ColumnDefinition: Hashable, Sendable {
    /// The column's name.
    public var name: String
    /// The name of the column's type as `format_type` returns it: `character varying(255)`.
    public var type: String
    /// The OID of the Postgres type in which values are sent and received.
    public var oid: UInt32
    /// Whether the column is nullable.
    public var isNullable = false
    /// The column's default as an SQL expression; `nil` if there is no default.
    public var defaultValue: String?
    /// Whether the column is a `serial` one, whose default is the next value of the column's own sequence.
    public var isSerial = false
    /// Whether the column belongs to the primary key.
    public var isPrimaryKey = false
    /// Whether the column has a UNIQUE constraint.
    public var isUnique = false
    /// Whether the column is the row's version number, which every UPDATE increments.
    public var isVersion = false
    /// The expression of the column's CHECK constraint; `nil` if there is none.
    public var check: String?
    /// The referenced table and column: `campaign (id)`. `nil` if the column is not a foreign key.
    public var references: String?
    /// The ON DELETE action of the foreign key.
    public var onDelete = DeleteAction.refuse
    /// The SQL expression that an UPDATE assigns to the column unless the UPDATE sets the column explicitly,
    /// such as `version + 1`; `nil` if there is none.
    public var onUpdate: String?
    /// How API clients can use the column, and the column's documentation.
    public var field = FieldDefinition()

    /// Creates a column definition. By default, the column is NOT NULL, without default value or other constraints.
    public init(
        name: String, type: String, oid: UInt32, isNullable: Bool = false, defaultValue: String? = nil,
        isSerial: Bool = false, isPrimaryKey: Bool = false, references: String? = nil, onUpdate: String? = nil
    ) {
        (self.name, self.type, self.oid, self.isNullable) = (name, type, oid, isNullable)
        (self.defaultValue, self.isSerial, self.isPrimaryKey) = (defaultValue, isSerial, isPrimaryKey)
        (self.references, self.onUpdate) = (references, onUpdate)
    }

    /// The column's name, quoted where SQL requires it.
    public var reference: String { identifier(name) }

    /// Returns a name as an SQL identifier: quoted if it needs quotes, unchanged otherwise.
    public static func quoted(_ name: String) -> String { identifier(name) }

    /// Adds an expression to the column's CHECK constraint, joined with AND to the existing expression, if any.
    mutating func require(_ expression: String) { check = check.map { "(\($0)) AND (\(expression))" } ?? expression }

    /// The expressions of the column's CHECK constraints: one for the permitted values of an enumeration, and `check`.
    var checks: [String] {
        let choices = field.choices.map { "\(reference) IN (\($0.map(literal).joined(separator: ", ")))" }
        return [choices, check].compactMap { $0 }
    }
}

/// The ON DELETE action of a foreign key: what happens to a row when the row that it references is deleted (Postgres
/// manual, section 5.4.5).
public enum DeleteAction: String, Hashable, Sendable {
    /// The deletion fails: `NO ACTION`.
    case refuse = "NO ACTION"
    /// The referencing row is deleted too: `CASCADE`.
    case cascade = "CASCADE"
    /// The referencing column becomes NULL: `SET NULL`.
    case setNull = "SET NULL"
}

/// How API clients can use a column, and the column's documentation.
public struct FieldDefinition: Hashable, Sendable {
    /// Whether the column is read-only for clients.
    public var isReadOnly = false
    /// Whether the column is left out of responses.
    public var isHidden = false
    /// Whether lists can be filtered by the column.
    public var isFilterable = false
    /// Whether lists can be sorted by the column.
    public var isSortable = false
    /// Whether the search parameter `q=` searches the column.
    public var isSearchable = false
    /// Whether leading and trailing white space is removed from the values that clients send.
    public var isTrimmed = false
    /// The permitted number of characters; `nil` for any number.
    public var length: ClosedRange<Int>?
    /// The minimum value, as a JSON number; `nil` if there is none.
    public var minimum: String?
    /// The maximum value, as a JSON number; `nil` if there is none.
    public var maximum: String?
    /// The regular expression that the whole value must match; `nil` if there is none.
    public var pattern: String?
    /// The permitted values of an enumeration; `nil` for other types.
    public var choices: [String]?
    /// A description for the API documentation.
    public var summary: String?
    /// An example value for the API documentation. Only text columns use it.
    public var example: String?
}
