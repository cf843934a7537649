/// An object of a schema, with the statements that create it.
struct SchemaObject {
    /// The kind of an object. Objects are created in the order of the cases as far as their dependencies permit.
    /// `owner` is the OWNED BY of a sequence, `partition` the attachment of a partition, and `rows` the rows of a table
    /// or the value of a sequence.
    enum Kind: Int {
        case schema, `extension`, type, sequence, function, table, owner, index, partition, rows, view, statistics,
            trigger
        case rule, policy, foreignKey
    }

    /// The oid of the object's catalog and the oid of the object, as in `pg_depend`, such as `1259 16385`.
    let key: String
    /// The kind of the object.
    let kind: Kind
    /// The qualified name, quoted where necessary.
    let name: String
    /// The statements that create the object, without semicolons.
    var statements: [String]
    /// The statement that drops the object; `nil` if the object is dropped together with another one.
    var drop: String?

    /// Whether the object must be created after the rows are inserted. Triggers, rules and foreign keys would affect
    /// the insertion, and a materialized view stores its rows when it is created.
    var followsRows: Bool {
        [.trigger, .rule, .foreignKey].contains(kind) || statements.first?.hasPrefix("CREATE MATERIALIZED VIEW") == true
    }

    /// Whether one object comes before another one, if neither depends on the other.
    static func precedes(_ one: SchemaObject, _ other: SchemaObject) -> Bool {
        (one.kind.rawValue, one.name, one.key) < (other.kind.rawValue, other.name, other.key)
    }
}
