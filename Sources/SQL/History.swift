extension Tabular {
    /// The statement that reads the recorded changes of a row before one of them, the latest first: the columns of the record, whether there
    /// is a row before and after the change, whether there is an earlier change, and both rows, each of which stands for the other where
    /// there is none.
    ///
    /// It ends with the change with which the rows have 1 MiB or more as JSON: a wide row may have changed often.
    /// Columns that the table has got since a change was made have their defaults; those that it has lost are left out.
    public static func history(of id: some SQLValue, before position: Int64, limit: Int64) -> Statement {
        func columns(_ alias: String) -> String {
            definition.columns.map { "\(alias).\($0.reference)" }.joined(separator: ", ")
        }
        func row(_ images: String) -> String {
            "jsonb_populate_record(NULL::\(definition.reference), jsonb_build_object(\(defaults)) || COALESCE(\(images)))"
        }
        return """
            SELECT record.id, operation, author, request_id, changed_on, before IS NOT NULL, after IS NOT NULL, has_earlier, \
            \(unsafe: columns("former")), \(unsafe: columns("latter")) FROM (\
            SELECT *, row_number() OVER latest AS place, lead(id) OVER latest IS NOT NULL AS has_earlier, \
            sum(octet_length(concat(before, after))) OVER latest - octet_length(concat(before, after)) AS bytes FROM (\
            SELECT * FROM \(unsafe: TableDefinition.records) WHERE table_name = \(unsafe: literal(definition.name)) \
            AND row_id = \(id)::text AND id < \(position) ORDER BY id DESC LIMIT \(limit + 1)) AS change \
            WINDOW latest AS (ORDER BY id DESC)) AS record, \
            \(unsafe: row("before, after")) AS former, \(unsafe: row("after, before")) AS latter \
            WHERE place <= \(limit) AND bytes < 1048576 ORDER BY record.id DESC
            """
    }

    private static var defaults: String {
        definition.columns.compactMap { column in
            column.isSerial ? nil : column.defaultValue.map { "\(literal(column.name)), \($0)" }
        }.joined(separator: ", ")
    }
}
