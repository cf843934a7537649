// Closures instead of key paths: generic code instantiates a key path at each use, which takes ten thousand
// instructions.
extension Tabular {
    /// Returns a statement that inserts a row and returns all columns of the row. Omitted columns get their default.
    public static func insert(_ values: [Assignment<Self>]) -> Statement {
        guard !values.isEmpty else {
            return Statement(Fragment("INSERT INTO \(definition.reference) DEFAULT VALUES" + returning))
        }
        // Composed without fragments, each of which allocates an array: this is the statement that is built most often.
        let definition = definition
        var statement = Statement(unsafe: "INSERT INTO \(definition.reference) (")
        var separator = ""
        for assignment in values {
            statement.append(separator)
            statement.append(assignment.column)
            separator = ", "
        }
        separator = ") VALUES ("
        for assignment in values {
            statement.append(separator)
            if let value = assignment.value { statement.bind(value) } else { statement.append("DEFAULT") }
            separator = ", "
        }
        statement.append(") RETURNING ")
        statement.append(definition.columnList)
        return statement
    }

    /// Returns a statement that inserts several rows and returns all their columns. If all rows assign the same
    /// columns, the text of the statement is the same for any number of rows.
    public static func insert(many rows: [[Assignment<Self>]]) -> Statement {
        guard !rows.isEmpty else { return "SELECT \(unsafe: definition.columnList) FROM \(definition) LIMIT 0" }
        return Statement(insertion(of: rows) + returning)
    }

    /// Returns an INSERT without its RETURNING clause: `INSERT INTO campaign (name) SELECT * FROM unnest($1)`.
    static func insertion(of rows: [[Assignment<Self>]]) -> Fragment {
        guard let first = rows.first, let arrays = arrays(of: rows) else { return insertion(ofDissimilar: rows) }
        return Fragment(insertion(into: first.map { $0.column }) + " SELECT * FROM unnest(")
            + Fragment(arrays, separator: ", ") + ")"
    }

    /// Returns one array parameter for each column, with the values of all rows; `nil` if the rows assign different
    /// columns, no columns, a `DEFAULT` instead of a value, or arrays, which `unnest` would flatten.
    private static func arrays(of rows: [[Assignment<Self>]]) -> [Fragment]? {
        guard let first = rows.first, !first.isEmpty,
            rows.allSatisfy({ row in
                row.map { $0.column } == first.map { $0.column }
                    && row.allSatisfy { $0.value.map { !isArray(Swift.type(of: $0)) } ?? false }
            })
        else { return nil }
        return first.indices.compactMap { column in
            first[column].value.map { value in
                Fragment(.array(rows.compactMap { $0[column].value }, of: Swift.type(of: value)))
            }
        }
    }

    /// Whether the type maps to a Postgres array type. `type` and `arrayType` of such a type are equal, because
    /// multidimensional arrays have the same Postgres type as one-dimensional arrays.
    private static func isArray(_ type: any SQLValue.Type) -> Bool { type.type == type.arrayType }

    /// Returns an INSERT, without its RETURNING clause, for rows that assign different columns or assign `DEFAULT`. A
    /// column that a row omits gets its default.
    private static func insertion(ofDissimilar rows: [[Assignment<Self>]]) -> Fragment {
        let used = Set(rows.flatMap { $0.map { $0.column } })
        let columns = definition.columns.filter { used.contains($0.reference) }
        let all = columns.isEmpty ? Array(definition.columns.prefix(1)) : columns
        let tuples = rows.map { row in Fragment(all.map { value(of: $0, in: row) }, separator: ", ").parenthesized }
        return Fragment(insertion(into: all.map { $0.reference }) + " SELECT * FROM (VALUES ")
            + Fragment(tuples, separator: ", ") + ") AS rows"
    }

    private static func value(of column: ColumnDefinition, in row: [Assignment<Self>]) -> Fragment {
        if let value = row.last(where: { $0.column == column.reference })?.value { return Fragment(.value(value)) }
        if column.isSerial {
            return Fragment("nextval(pg_get_serial_sequence(\(literal(reference)), \(literal(column.name))))")
        }
        return Fragment(column.defaultValue ?? "NULL::\(column.type)")
    }

    private static var reference: String { definition.reference }

    /// Returns a statement that updates the rows that match a condition and returns all their columns. Without
    /// assignments, the statement only reads the rows.
    public static func update(
        _ values: [Assignment<Self>], where condition: (Columns) -> Condition<Self>
    ) -> Statement {
        guard !values.isEmpty else {
            return Statement(
                Fragment("SELECT \(definition.columnList) FROM \(definition.reference) WHERE ")
                    + condition(columns).fragment)
        }
        return Statement(change(values, condition(columns)) + returning)
    }

    /// Returns a statement that deletes the rows that match a condition and returns all their columns.
    public static func delete(where condition: (Columns) -> Condition<Self>) -> Statement {
        Statement(deletion(condition(columns)) + returning)
    }

    /// Returns an UPDATE without its RETURNING clause:
    /// `UPDATE campaign SET name = $1, version = version + 1 WHERE id = $2`.
    static func change(_ values: [Assignment<Self>], _ condition: Condition<Self>) -> Fragment {
        let list = values.map { Fragment("\($0.column) = ") + $0.fragment }
        let others = definition.updates(besides: values.map { $0.column }).map { Fragment($0) }
        return Fragment("UPDATE \(definition.reference) SET ") + Fragment(list + others, separator: ", ") + " WHERE "
            + condition.fragment
    }

    /// Returns a DELETE without its RETURNING clause: `DELETE FROM campaign WHERE id = $1`.
    static func deletion(_ condition: Condition<Self>) -> Fragment {
        Fragment("DELETE FROM \(definition.reference) WHERE ") + condition.fragment
    }

    static var returning: String { " RETURNING \(definition.columnList)" }

    private static func insertion(into columns: [String]) -> String {
        "INSERT INTO \(definition.reference) (\(columns.joined(separator: ", ")))"
    }
}
