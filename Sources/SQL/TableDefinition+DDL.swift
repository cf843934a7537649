extension TableDefinition {
    /// The statements that create the table, the table's indexes and, if changes are recorded, the trigger that records
    /// them (Postgres manual, CREATE TABLE and CREATE INDEX).
    public var creation: [String] {
        let keys = columns.filter(\.isPrimaryKey).map(\.reference).joined(separator: ", ")
        let lines = columns.map(\.line) + (keys.isEmpty ? [] : ["PRIMARY KEY (\(keys))"])
        let table = "CREATE TABLE \(reference) (\n    " + lines.joined(separator: ",\n    ") + "\n)"
        return [table] + indexes.map { $0.creation(on: reference) } + [recording?.creation(on: name)].compactMap(\.self)
    }

    /// The trigger that records changes of the table; `nil` if changes are not recorded.
    public var recording: RecordingTrigger? {
        recordsChanges ? RecordingTrigger(of: name, key: columns.first(where: \.isPrimaryKey)?.name ?? "") : nil
    }
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
