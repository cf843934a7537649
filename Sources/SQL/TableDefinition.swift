/// What Postgres knows of a table.
public struct TableDefinition: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The columns, in the order in which a model is read.
    public var columns: [ColumnDefinition]
    /// The indexes, without those that keys and uniqueness bring along.
    public var indexes: [IndexDefinition]
    /// The names of all columns, with commas between.
    public let columnList: String
    /// The text that reads the row whose primary key is `$1`: made once, since it is what is asked for most.
    public let findText: String

    /// Makes a table.
    public init(_ name: String, columns: [ColumnDefinition], indexes: [IndexDefinition] = []) {
        self.name = name
        self.columns = columns
        self.indexes = indexes
        columnList = columns.map(\.reference).joined(separator: ", ")
        let keys = columns.filter(\.isPrimaryKey).map { "\($0.reference) = $1" }.joined(separator: " AND ")
        findText = "SELECT \(columnList) FROM \(identifier(name)) WHERE \(keys)"
    }

    /// The name as SQL wants it.
    public var reference: String { identifier(name) }
}

/// An index of a table.
public struct IndexDefinition: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The access method: `btree`, `gin`.
    public var method: String
    /// Its columns or expressions, with their operator classes, as SQL.
    public var keys: [String]

    /// Makes an index: `IndexDefinition("campaign_name_trgm_idx", method: "gin", on: "name gin_trgm_ops")`.
    public init(_ name: String, method: String = "btree", on keys: String...) {
        self.name = name
        self.method = method
        self.keys = keys
    }
}

/// All tables of an application: what its statements, its schema and its documentation are made of.
public struct Metadata: Sendable {
    /// The tables.
    public let tables: [TableDefinition]

    /// Puts tables together.
    public init(_ tables: TableDefinition...) { self.tables = tables }
}
