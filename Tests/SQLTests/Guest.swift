import SQL

/// A table with a nullable column, `order`, whose name has to be quoted.
struct Guest: Tabular, Equatable {
    var id: Int64
    var name: String
    var order: Int32?

    struct Columns: Sendable {
        let id = Column(\Guest.id, "id", .primaryKey, default: .serial)
        let name = Column(\Guest.name, "name", .length(0...255), .unique, default: .value("it's"))
        let order = Column(\Guest.order, "order", .range(1...9), references: Party.self)
    }

    static let columns = Columns()
    static let definition = TableDefinition(
        "guest", columns: [columns.id.definition, columns.name.definition, columns.order.definition],
        indexes: [
            IndexDefinition("guest_order_idx", on: "\"order\"", "id"),
            IndexDefinition("guest_trgm", method: "gin", on: "name gin_trgm_ops"),
        ])
}

/// The table that a guest references.
struct Party: Tabular {
    struct Columns: Sendable {}

    static let columns = Columns()
    static let definition = TableDefinition(
        "campaign", columns: [ColumnDefinition(name: "id", type: "bigint", oid: Int64.type, isPrimaryKey: true)])
}
