/// What Postgres knows of a column, and what clients may do with it.
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
    /// Whether it counts the changes of a row.
    public var isVersion = false
    /// What each value must be: an expression.
    public var check: String?
    /// The table and the column that have each value: `campaign (id)`.
    public var references: String?
    /// What becomes of a row when the row that it refers to is deleted.
    public var onDelete = DeleteAction.refuse
    /// The expression that an update which leaves it out gives it.
    public var onUpdate: String?
    /// What clients may do with it, and how it is documented.
    public var field = FieldDefinition()

    /// Makes a column; what is left out it has not.
    public init(
        name: String, type: String, oid: UInt32, isNullable: Bool = false, defaultValue: String? = nil,
        isSerial: Bool = false, isPrimaryKey: Bool = false, references: String? = nil, onUpdate: String? = nil
    ) {
        (self.name, self.type, self.oid, self.isNullable) = (name, type, oid, isNullable)
        (self.defaultValue, self.isSerial, self.isPrimaryKey) = (defaultValue, isSerial, isPrimaryKey)
        (self.references, self.onUpdate) = (references, onUpdate)
    }

    /// The name as SQL wants it.
    public var reference: String { identifier(name) }

    /// A name as SQL wants it: in quotes where it needs them.
    public static func quoted(_ name: String) -> String { identifier(name) }

    /// Has each value meet an expression, besides what it must meet already.
    mutating func require(_ expression: String) { check = check.map { "(\($0)) AND (\(expression))" } ?? expression }

    /// The expressions that its values are checked by.
    var checks: [String] {
        let choices = field.choices.map { "\(reference) IN (\($0.map(literal).joined(separator: ", ")))" }
        return [choices, check].compactMap { $0 }
    }
}

/// What becomes of a row when the row that it refers to is deleted (Postgres manual, section 5.4.5).
public enum DeleteAction: String, Hashable, Sendable {
    /// The row that is referred to stays: `NO ACTION`.
    case refuse = "NO ACTION"
    /// It is deleted too.
    case cascade = "CASCADE"
    /// It refers to nothing from then on.
    case setNull = "SET NULL"
}

/// What clients may do with a column, and how it is documented.
public struct FieldDefinition: Hashable, Sendable {
    /// Whether clients cannot set it.
    public var isReadOnly = false
    /// Whether clients do not see it.
    public var isHidden = false
    /// Whether lists can be filtered by it.
    public var isFilterable = false
    /// Whether lists can be sorted by it.
    public var isSortable = false
    /// Whether `q=` looks into it.
    public var isSearchable = false
    /// Whether white space at its ends does not belong to it.
    public var isTrimmed = false
    /// How many characters it has.
    public var length: ClosedRange<Int>?
    /// The least value, as it is written.
    public var minimum: String?
    /// The largest value, as it is written.
    public var maximum: String?
    /// The regular expression that all of it matches.
    public var pattern: String?
    /// The values that there are, when they are few.
    public var choices: [String]?
    /// What it is, for people.
    public var summary: String?
    /// A value for the documentation, where it is text.
    public var example: String?
}
