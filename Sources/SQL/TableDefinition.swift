/// What Postgres knows of a table.
public struct TableDefinition: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The columns, in the order in which a model is read.
    public var columns: [ColumnDefinition]
    /// The indexes that the columns' rules need, and others; not those that keys and uniqueness bring along.
    public var indexes: [IndexDefinition]
    /// Whether a trigger records each change of its rows.
    public var recordsChanges: Bool
    /// The names of all columns, with commas between.
    public let columnList: String
    /// The text that reads the row whose primary key is `$1`: made once, since it is what is asked for most.
    public let findText: String

    /// Makes a table.
    /// - Parameters:
    ///   - indexes: those that it has besides `neededIndexes`, or in place of one of the same name.
    ///   - recordsChanges: whether a trigger records each change of its rows.
    public init(
        _ name: String, columns: [ColumnDefinition], indexes: [IndexDefinition] = [], recordsChanges: Bool = false
    ) {
        self.recordsChanges = recordsChanges
        self.name = name
        self.columns = columns
        let needed = TableDefinition.neededIndexes(name, columns).filter { need in
            !indexes.contains { $0.name == need.name }
        }
        self.indexes = needed + indexes
        columnList = columns.map(\.reference).joined(separator: ", ")
        let keys = columns.filter(\.isPrimaryKey).map { "\($0.reference) = $1" }.joined(separator: " AND ")
        findText = "SELECT \(columnList) FROM \(identifier(name)) WHERE \(keys)"
    }

    /// The indexes that answer what clients may ask for: `lead_score_id_idx` for a filter, `lead_score_desc_id_idx` besides for a sort, and
    /// `lead_email_trgm_idx` for `q=`.
    private static func neededIndexes(_ table: String, _ columns: [ColumnDefinition]) -> [IndexDefinition] {
        let keys = columns.filter(\.isPrimaryKey).map(\.reference)
        let suffix = columns.filter(\.isPrimaryKey).map(\.name).joined(separator: "_") + "_idx"
        return columns.filter { !$0.isPrimaryKey && !$0.field.isHidden }.flatMap { column in
            let (field, name) = (column.field, "\(table)_\(column.name)")
            let ascending = IndexDefinition("\(name)_\(suffix)", keys: [column.reference] + keys)
            let descending = IndexDefinition("\(name)_desc_\(suffix)", keys: ["\(column.reference) DESC"] + keys)
            var indexes: [IndexDefinition] = []
            if field.isSortable || field.isFilterable && !column.isUnique { indexes.append(ascending) }
            if field.isSortable { indexes.append(descending) }
            if field.isSearchable {
                indexes.append(
                    IndexDefinition(name + "_trgm_idx", method: "gin", on: "\(column.reference) gin_trgm_ops"))
            }
            return indexes
        }
    }

    /// The name as SQL wants it.
    public var reference: String { identifier(name) }

    /// The column that counts a row's changes, if there is one.
    public var version: ColumnDefinition? { columns.first(where: \.isVersion) }

    /// The table and its primary key, as a foreign key names them: `campaign (id)`.
    public var primaryKeyReference: String {
        "\(reference) (\(columns.filter(\.isPrimaryKey).map(\.reference).joined(separator: ", ")))"
    }

    fileprivate func refers(to other: TableDefinition) -> Bool {
        columns.contains { $0.references == other.primaryKeyReference }
    }

    /// What every update does besides what it is told: `version = version + 1`, unless an assignment names the column.
    func updates(besides named: [String]) -> [String] {
        columns.compactMap { column in
            guard let update = column.onUpdate, !named.contains(column.reference) else { return nil }
            return "\(column.reference) = \(update)"
        }
    }
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
        self.init(name, method: method, keys: keys)
    }

    init(_ name: String, method: String = "btree", keys: [String]) {
        self.name = name
        self.method = method
        self.keys = keys
    }
}

/// All tables of an application: what its statements, its schema and its documentation are made of.
public struct Metadata: Sendable {
    /// The tables, each behind those that it refers to.
    public let tables: [TableDefinition]

    /// Puts tables together, in any order.
    public init(_ tables: TableDefinition...) { self.init(tables: tables) }

    /// Puts tables together, in any order.
    public init(tables: [TableDefinition]) {
        var (sorted, rest) = ([TableDefinition](), tables)
        while !rest.isEmpty {
            // Tables that refer to each other are in no order.
            let next = rest.firstIndex { table in !rest.contains { $0 != table && table.refers(to: $0) } } ?? 0
            sorted.append(rest.remove(at: next))
        }
        self.tables = sorted
    }
}
