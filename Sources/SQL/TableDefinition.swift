/// A table's definition in Postgres.
public struct TableDefinition: Hashable, Sendable {
    /// The table's name.
    public var name: String
    /// The columns, in the order in which rows are decoded.
    public var columns: [ColumnDefinition]
    /// The indexes: those that the columns' rules imply, and additional ones. The implicit indexes of primary keys and
    /// UNIQUE constraints are not included.
    public var indexes: [IndexDefinition]
    /// Whether a trigger records each change of the table's rows.
    public var recordsChanges: Bool
    /// The names of all columns, quoted where SQL requires it, and separated by commas.
    public let columnList: String
    /// The SQL that selects the row with primary key `$1`, for a primary key of one column. The text is stored because
    /// this statement is the most frequent one.
    public let findText: String

    /// Creates a table definition.
    /// - Parameters:
    ///   - name: The name of the table.
    ///   - columns: The columns, in the order in which rows are decoded.
    ///   - indexes: Indexes in addition to those that the columns' rules imply. An index with the same name replaces
    ///     an implied one.
    ///   - recordsChanges: Whether a trigger records each change of the table's rows.
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

    /// Returns the indexes for the queries that clients may send. For a column `score` of the table `lead`:
    /// `lead_score_id_idx` for filtering and sorting, additionally `lead_score_desc_id_idx` for sorting, and
    /// `lead_score_trgm_idx` for the search parameter `q=`.
    private static func neededIndexes(_ table: String, _ columns: [ColumnDefinition]) -> [IndexDefinition] {
        let keys = columns.filter(\.isPrimaryKey).map(\.reference)
        let suffix = "_" + columns.filter(\.isPrimaryKey).map(\.name).joined(separator: "_") + "_idx"
        return columns.filter { !$0.isPrimaryKey && !$0.field.isHidden }.flatMap { column in
            let (field, name) = (column.field, "\(table)_\(column.name)")
            let ascending = IndexDefinition(name.withSuffix(suffix), keys: [column.reference] + keys)
            let descending = IndexDefinition(
                name.withSuffix("_desc" + suffix), keys: ["\(column.reference) DESC"] + keys)
            var indexes: [IndexDefinition] = []
            if field.isSortable || field.isFilterable && !column.isUnique { indexes.append(ascending) }
            if field.isSortable { indexes.append(descending) }
            if field.isSearchable {
                indexes.append(
                    IndexDefinition(name.withSuffix("_trgm_idx"), method: "gin", on: "\(column.reference) gin_trgm_ops")
                )
            }
            return indexes
        }
    }

    /// The table's name, quoted where SQL requires it.
    public var reference: String { identifier(name) }

    /// The column with the row's version number, if there is one.
    public var version: ColumnDefinition? { columns.first(where: \.isVersion) }

    /// The table and its primary key, as in a REFERENCES clause: `campaign (id)`.
    public var primaryKeyReference: String {
        "\(reference) (\(columns.filter(\.isPrimaryKey).map(\.reference).joined(separator: ", ")))"
    }

    fileprivate func refers(to other: TableDefinition) -> Bool {
        columns.contains { $0.references == other.primaryKeyReference }
    }

    /// Returns the assignments that are added to every UPDATE, such as `version = version + 1`. Columns in `named`,
    /// which the UPDATE already assigns, are left out.
    func updates(besides named: [String]) -> [String] {
        columns.compactMap { column in
            guard let update = column.onUpdate, !named.contains(column.reference) else { return nil }
            return "\(column.reference) = \(update)"
        }
    }
}

/// An index of a table.
public struct IndexDefinition: Hashable, Sendable {
    /// The index's name.
    public var name: String
    /// The index access method: `btree`, `gin`.
    public var method: String
    /// The indexed columns or expressions as SQL, including operator classes.
    public var keys: [String]

    /// Creates an index definition:
    /// `IndexDefinition("campaign_name_trgm_idx", method: "gin", on: "name gin_trgm_ops")`.
    public init(_ name: String, method: String = "btree", on keys: String...) {
        self.init(name, method: method, keys: keys)
    }

    init(_ name: String, method: String = "btree", keys: [String]) {
        self.name = name
        self.method = method
        self.keys = keys
    }
}

/// All tables of an application, from which the application's statements, schema and documentation are derived.
public struct Metadata: Sendable {
    /// The tables, sorted such that each table comes after those that it references.
    public let tables: [TableDefinition]

    /// Creates the metadata. The tables may be given in any order; they are sorted by their references.
    public init(_ tables: TableDefinition...) { self.init(tables: tables) }

    /// Creates the metadata. The tables may be given in any order; they are sorted by their references.
    public init(tables: [TableDefinition]) {
        var (sorted, rest) = ([TableDefinition](), tables)
        while !rest.isEmpty {
            // Tables that reference each other cannot be sorted: the first one is taken.
            let next = rest.firstIndex { table in !rest.contains { $0 != table && table.refers(to: $0) } } ?? 0
            sorted.append(rest.remove(at: next))
        }
        self.tables = sorted
    }
}
