import SQL

/// A table as a resource writes it, with a name that needs quotes and a column that may be NULL.
struct Lead: Tabular, Equatable {
    var id: Int64
    var name: String
    var order: Int32?

    struct Columns: Sendable {
        let id = Column(\Lead.id, "id", default: .serial, isPrimaryKey: true)
        let name = Column(\Lead.name, "name", type: "character varying(255)", default: .value("it's"), isUnique: true)
        let order = Column(\Lead.order, "order", check: "\"order\" > 0", references: "campaign (id)")
    }

    static let columns = Columns()
    static let definition = TableDefinition(
        "lead", columns: [columns.id.definition, columns.name.definition, columns.order.definition],
        indexes: [
            IndexDefinition("lead_order_idx", on: "\"order\"", "id"),
            IndexDefinition("lead_trgm", method: "gin", on: "name gin_trgm_ops"),
        ])
}
