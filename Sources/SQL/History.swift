extension Tabular {
    /// Returns a statement that reads the recorded changes of a row, the latest first.
    ///
    /// Each row of the result has the columns of the change record, then three flags (the row existed before the
    /// change, the row existed after the change, an earlier change exists), then the row's columns before and after the
    /// change. For an INSERT, the columns before the change repeat the columns after the change; for a DELETE, vice
    /// versa. The result is truncated after the change at which the total size of the stored rows, as JSON, reaches
    /// 1 MiB. A column that was added to the table after a change was recorded has the column's default, or NULL if the
    /// column has no default or is `serial`; a dropped column is omitted.
    /// - Parameters:
    ///   - id: The row's primary key.
    ///   - position: The id of a change record; only earlier changes are returned.
    ///   - limit: The maximum number of changes.
    public static func history(of id: some SQLValue, before position: Int64, limit: Int64) -> Statement {
        func columns(_ alias: String) -> String {
            definition.columns.map { "\(alias).\($0.reference)" }.joined(separator: ", ")
        }
        return """
            SELECT record.id, record.operation, record.author, record.request_id, record.changed_on, \
            record.before IS NOT NULL, record.after IS NOT NULL, record.has_earlier, \
            \(unsafe: columns("former")), \(unsafe: columns("latter")) FROM (\
            SELECT *, row_number() OVER latest AS place, lead(id) OVER latest IS NOT NULL AS has_earlier, \
            sum(octet_length(concat(before, after))) OVER latest - octet_length(concat(before, after)) AS bytes FROM (\
            SELECT * FROM \(unsafe: RecordingTrigger.records) WHERE table_name = \(unsafe: literal(definition.name)) \
            AND row_id = \(id)::text AND id < \(position) ORDER BY id DESC LIMIT \(limit + 1)) AS change \
            WINDOW latest AS (ORDER BY id DESC)) AS record, \
            \(unsafe: row(storedAs: "COALESCE(record.before, record.after)")) AS former, \
            \(unsafe: row(storedAs: "COALESCE(record.after, record.before)")) AS latter \
            WHERE record.place <= \(limit) AND record.bytes < 1048576 ORDER BY record.id DESC
            """
    }

    /// Returns an SQL expression for the row that is stored in `json`, an SQL expression of type `jsonb`. A column that
    /// was added to the table after the row was stored has the column's default, or NULL if the column has no default
    /// or is `serial`; a dropped column is omitted.
    static func row(storedAs json: String) -> String {
        let defaults = definition.columns.compactMap { column in
            column.isSerial ? nil : column.defaultValue.map { "\(literal(column.name)), \($0)" }
        }.joined(separator: ", ")
        return "jsonb_populate_record(NULL::\(definition.reference), jsonb_build_object(\(defaults)) || \(json))"
    }
}
