extension Tabular {
    /// The statement that inserts a row, and returns it whole; columns that are left out get their default.
    public static func insert(_ values: [Assignment<Self>]) -> Statement {
        guard !values.isEmpty else {
            return Statement(Fragment("INSERT INTO \(definition.reference) DEFAULT VALUES" + returning))
        }
        let list = Fragment(values.map { Fragment(.value($0.value)) }, separator: ", ")
        return Statement(Fragment(insertion(into: values) + " VALUES ") + list.parenthesized + returning)
    }

    /// The statement that inserts many rows: one text for any number of them, if all give values to the same columns.
    public static func insert(many rows: [[Assignment<Self>]]) -> Statement {
        guard let first = rows.first else {
            return "SELECT \(unsafe: definition.columnList) FROM \(definition) LIMIT 0"
        }
        guard !first.isEmpty, rows.allSatisfy({ $0.map(\.column) == first.map(\.column) }) else {
            return insert(unlike: rows)
        }
        let arrays = first.indices.map { column in
            Fragment(.array(rows.map { $0[column].value }, of: Swift.type(of: first[column].value)))
        }
        let source = Fragment(" SELECT * FROM unnest(") + Fragment(arrays, separator: ", ") + ")"
        return Statement(Fragment(insertion(into: first)) + source + returning)
    }

    /// The statement that inserts rows of which not all give values to the same columns: a column that a row leaves out gets its
    /// default.
    private static func insert(unlike rows: [[Assignment<Self>]]) -> Statement {
        let used = Set(rows.flatMap { $0.map(\.column) })
        let all = definition.columns.map(\.reference)
        let columns = used.isEmpty ? Array(all.prefix(1)) : all.filter(used.contains)
        let tuples = rows.map { row in
            let values = columns.map { column in
                row.last { $0.column == column }.map { Fragment(.value($0.value)) } ?? Fragment("DEFAULT")
            }
            return Fragment(values, separator: ", ").parenthesized
        }
        return Statement(
            Fragment("INSERT INTO \(definition.reference) (\(columns.joined(separator: ", "))) VALUES ")
                + Fragment(tuples, separator: ", ") + returning)
    }

    /// The statement that gives the rows that are so these values, and returns them whole; without values, it only reads them.
    public static func update(
        _ values: [Assignment<Self>], where condition: (Columns) -> Condition<Self>
    ) -> Statement {
        guard !values.isEmpty else {
            return Statement(
                Fragment("SELECT \(definition.columnList) FROM \(definition.reference) WHERE ")
                    + condition(columns).fragment)
        }
        let list = values.map { Fragment(.text("\($0.column) = "), .value($0.value)) }
        return Statement(
            Fragment("UPDATE \(definition.reference) SET ") + Fragment(list, separator: ", ") + " WHERE "
                + condition(columns).fragment + returning)
    }

    /// The statement that deletes the rows that are so, and returns them whole.
    public static func delete(where condition: (Columns) -> Condition<Self>) -> Statement {
        Statement(Fragment("DELETE FROM \(definition.reference) WHERE ") + condition(columns).fragment + returning)
    }

    private static var returning: String { " RETURNING \(definition.columnList)" }

    private static func insertion(into values: [Assignment<Self>]) -> String {
        "INSERT INTO \(definition.reference) (\(values.map(\.column).joined(separator: ", ")))"
    }
}
