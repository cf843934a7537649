import SQL

/// A table as a resource writes it, with a name that needs quotes and a column that may be NULL.
struct Lead: Tabular, Equatable {
    var id: Int64
    var name: String
    var order: Int32?

    struct Columns: Sendable {
        let id = Column(\Lead.id, "id", .primaryKey, default: .serial)
        let name = Column(\Lead.name, "name", .length(0...255), .unique, default: .value("it's"))
        let order = Column(\Lead.order, "order", .range(1...9), references: Party.self)
    }

    static let columns = Columns()
    static let definition = TableDefinition(
        "lead", columns: [columns.id.definition, columns.name.definition, columns.order.definition],
        indexes: [
            IndexDefinition("lead_order_idx", on: "\"order\"", "id"),
            IndexDefinition("lead_trgm", method: "gin", on: "name gin_trgm_ops"),
        ])
}

/// What a lead refers to.
struct Party: Tabular {
    struct Columns: Sendable {}

    static let columns = Columns()
    static let definition = TableDefinition(
        "campaign", columns: [ColumnDefinition(name: "id", type: "bigint", oid: Int64.type, isPrimaryKey: true)])
}
