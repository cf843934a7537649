/// Something in a schema, with the statements that make it.
struct SchemaObject {
    /// Where it stands among others, as far as what it depends on lets it.
    enum Kind: Int {
        case schema, `extension`, type, sequence, function, table, owner, index, partition, rows, view, statistics,
            trigger
        case rule, policy, foreignKey
    }

    /// `1259 16385`: the catalog that has it and its oid, as `pg_depend` has them.
    let key: String
    let kind: Kind
    /// As SQL writes it, with its schema.
    let name: String
    /// What makes it, without semicolons.
    var statements: [String]
    /// What drops it; `nil` when it goes with something else.
    var drop: String?

    /// Whether what it does with rows must wait until they are there.
    var followsRows: Bool {
        [.trigger, .rule, .foreignKey].contains(kind) || statements.first?.hasPrefix("CREATE MATERIALIZED VIEW") == true
    }

    /// Where it stands among those that depend on nothing.
    static func precedes(_ one: SchemaObject, _ other: SchemaObject) -> Bool {
        (one.kind.rawValue, one.name, one.key) < (other.kind.rawValue, other.name, other.key)
    }
}
