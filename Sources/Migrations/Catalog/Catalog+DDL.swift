import SQL

extension Catalog.Column {
    /// The column's definition, such as `name character varying(255) DEFAULT ''::character varying NOT NULL`.
    var line: String {
        var line = "\(quoted(name)) \(fullType)"
        switch value {
        case .null: break
        case .expression(let expression): line += " DEFAULT \(expression)"
        case .serial: line = "\(quoted(name)) \(serialType)"
        case .identity(let clause): line += " \(clause)"
        case .generated(let expression): line += " GENERATED ALWAYS AS (\(expression)) STORED"
        }
        return isNullable ? line : line + " NOT NULL"
    }

    /// The type with its collation.
    var fullType: String { collation.map { "\(type) COLLATE \($0)" } ?? type }

    private var serialType: String {
        ["smallint": "smallserial", "integer": "serial", "bigint": "bigserial"][type] ?? type
    }
}

extension Catalog.Index {
    /// The statement that creates the index.
    func creation(_ name: String, on table: String) -> String {
        "CREATE \(isUnique ? "UNIQUE " : "")INDEX \(quoted(name)) ON \(quoted(table)) \(text)"
    }
}

extension Catalog.Table {
    /// The statements that create the table with its constraints and indexes.
    /// - Parameter excluded: the names of constraints to leave out.
    func creation(without excluded: Set<String> = []) -> [String] {
        let included = constraints.filter { !excluded.contains($0.key) }
            .sorted { (Constraint($0.value).rank, $0.key) < (Constraint($1.value).rank, $1.key) }
        let lines = columns.map(\.line) + included.map { "CONSTRAINT \(quoted($0.key)) \($0.value)" }
        let table = "CREATE TABLE \(quoted(name)) (\n    " + lines.joined(separator: ",\n    ") + "\n)"
        return [table] + indexes.sorted { $0.key < $1.key }.map { $0.value.creation($0.key, on: name) }
            + [recording?.creation(on: name)].compactMap(\.self)
    }
}

/// A constraint's definition, as `pg_get_constraintdef` returns it.
struct Constraint {
    let definition: String

    init(_ definition: String) { self.definition = definition }

    /// The definition without NOT VALID.
    var meaning: String { definition.hasSuffix(" NOT VALID") ? String(definition.dropLast(10)) : definition }

    var isCheck: Bool { definition.hasPrefix("CHECK") }
    var isKey: Bool { definition.hasPrefix("PRIMARY KEY") || definition.hasPrefix("UNIQUE") }
    var isForeignKey: Bool { definition.hasPrefix("FOREIGN KEY") }

    /// The order in which constraints are created: keys first, foreign keys last.
    var rank: Int { isKey ? 0 : isForeignKey ? 2 : 1 }

    /// The parts of a foreign key before and after REFERENCES; `nil` for other constraints.
    var ends: (own: Substring, other: Substring)? {
        guard isForeignKey, let middle = definition.firstRange(of: " REFERENCES ") else { return nil }
        return (definition[..<middle.lowerBound], definition[middle.upperBound...])
    }

    /// The table that a foreign key references; `nil` for other constraints.
    var target: String? { ends.flatMap { DeparsedSQL.names(in: $0.other.prefix { $0 != "(" }).last } }

    /// The columns that a foreign key references; empty for other constraints.
    var targetColumns: Set<String> {
        guard let other = ends?.other, let open = other.firstIndex(of: "("), let close = other.firstIndex(of: ")")
        else { return [] }
        return Set(DeparsedSQL.names(in: other[open..<close]))
    }

    /// The names in the definition, including SQL keywords; for a foreign key, only those before REFERENCES.
    var names: Set<String> { Set(DeparsedSQL.names(in: ends?.own ?? definition[...])) }
}

/// Returns a name as an SQL identifier: quoted if it needs quotes, unchanged otherwise.
func quoted(_ name: String) -> String { ColumnDefinition.quoted(name) }

/// The text as an SQL string literal.
func literal(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
