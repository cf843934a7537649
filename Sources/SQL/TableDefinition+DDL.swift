extension TableDefinition {
    /// The statements that create the table, the table's indexes and, if changes are recorded, the trigger that records
    /// them (Postgres manual, CREATE TABLE and CREATE INDEX).
    public var creation: [String] {
        let keys = columns.filter(\.isPrimaryKey).map(\.reference).joined(separator: ", ")
        let lines = columns.map(\.line) + (keys.isEmpty ? [] : ["PRIMARY KEY (\(keys))"])
        let table = "CREATE TABLE \(reference) (\n    " + lines.joined(separator: ",\n    ") + "\n)"
        return [table] + indexes.map { $0.creation(on: reference) } + (recordsChanges ? [recording] : [])
    }

    /// The name of the table in which changes are recorded.
    public static let records = "change_record"

    /// The statement that creates the trigger that records changes of the table. The function that the trigger calls is
    /// created by a revision.
    public var recording: String {
        TableDefinition.recording(on: name, key: columns.first(where: \.isPrimaryKey)?.name ?? "")
    }

    /// Returns the statement that creates the trigger that records changes of a table; `key` is the name of its
    /// primary key column.
    public static func recording(on table: String, key: String) -> String {
        "CREATE TRIGGER \(recorder(of: table)) AFTER INSERT OR UPDATE OR DELETE ON \(identifier(table)) "
            + "FOR EACH ROW EXECUTE FUNCTION record_change(\(literal(key)))"
    }

    /// Returns the name of the trigger that records changes of a table.
    public static func recorder(of table: String) -> String { identifier(table + "_record_change") }
}

extension ColumnDefinition {
    /// The column's line in CREATE TABLE: `name character varying(255) NOT NULL`.
    var line: String {
        var line = "\(reference) \(isSerial ? serialType : type)"
        if let defaultValue { line += " DEFAULT \(defaultValue)" }
        if !isNullable { line += " NOT NULL" }
        if isUnique { line += " UNIQUE" }
        for check in checks { line += " CHECK (\(check))" }
        if let references { line += " REFERENCES \(references)" }
        if onDelete != .refuse { line += " ON DELETE \(onDelete.rawValue)" }
        return line
    }

    private var serialType: String { ["smallint": "smallserial", "integer": "serial"][type] ?? "bigserial" }
}

extension IndexDefinition {
    /// Returns the CREATE INDEX statement for the index.
    func creation(on table: String) -> String {
        let using = method == "btree" ? "" : "USING \(method) "
        return "CREATE INDEX \(identifier(name)) ON \(table) \(using)(\(keys.joined(separator: ", ")))"
    }
}
