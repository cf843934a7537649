import Postgres
import SQL

extension Catalog {
    /// Reads the first schema of the search path (`current_schema()`). Partitions are left out: only the partitioned
    /// table belongs to the models.
    /// - Throws: `PostgresError`.
    init(reading connection: Connection) async throws {
        for row in try await connection.rows(Catalog.columnsQuery) where !Catalog.ownTables.contains(row[0]) {
            tables[row[0], default: Table(name: row[0])].columns.append(Column(row))
            tables[row[0]]?.isPartitioned = row[10] == "p"
        }
        for row in try await connection.rows(Catalog.constraintsQuery) {
            tables[row[0]]?.constraints[row[1]] = row[2]
        }
        for row in try await connection.rows(Catalog.indexesQuery) {
            tables[row[0]]?.indexes[row[1]] = Index(definition: row[2])
        }
        for row in try await connection.rows(Catalog.recordingsQuery) {
            tables[row[0]]?.recording = RecordingTrigger(name: row[1], key: row[2])
        }
    }

    /// Opens a connection, and reads the first schema of its search path.
    /// - Throws: `PostgresError`.
    init(reading configuration: PostgresConfiguration) async throws {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        try await self.init(reading: connection)
    }

    private static let columnsQuery: Statement = """
        SELECT ARRAY[relname::text, attname::text, format_type(atttypid, atttypmod), (NOT attnotnull)::text, \
        coalesce(pg_get_expr(adbin, adrelid, true), ''), attidentity::text, attgenerated::text, \
        coalesce(sequence.name, ''), coalesce(sequence.options, ''), coalesce(quote_ident(collname), ''), relkind::text] \
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid AND relkind IN ('r', 'p') \
        AND NOT relispartition JOIN pg_type ON pg_type.oid = atttypid \
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation AND attcollation <> typcollation \
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum \
        LEFT JOIN LATERAL (\
        SELECT seqrelid::regclass::text AS name, concat_ws(' ', \
        CASE WHEN seqincrement <> 1 THEN 'INCREMENT BY ' || seqincrement END, \
        CASE WHEN seqmin <> 1 THEN 'MINVALUE ' || seqmin END, \
        CASE WHEN seqmax <> CASE seqtypid WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647 \
        ELSE 9223372036854775807 END THEN 'MAXVALUE ' || seqmax END, \
        CASE WHEN seqstart <> 1 THEN 'START WITH ' || seqstart END, \
        CASE WHEN seqcache <> 1 THEN 'CACHE ' || seqcache END, CASE WHEN seqcycle THEN 'CYCLE' END) AS options \
        FROM pg_depend JOIN pg_sequence ON seqrelid = objid \
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjid = attrelid \
        AND refobjsubid = attnum AND deptype IN ('a', 'i') LIMIT 1) sequence ON true \
        WHERE attnum > 0 AND NOT attisdropped AND relnamespace = current_schema()::regnamespace ORDER BY relname, attnum
        """

    private static let constraintsQuery: Statement = """
        SELECT ARRAY[relname::text, conname::text, pg_get_constraintdef(pg_constraint.oid, true)] \
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid \
        WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'u', 'c', 'f', 'x')
        """

    /// The query for the tables with a trigger that calls `record_change`, each with the trigger's argument: the name
    /// of the key column. Postgres stores the argument with a terminating NUL byte, which is removed.
    private static let recordingsQuery: Statement = """
        SELECT ARRAY[relname::text, tgname::text, split_part(encode(tgargs, 'escape'), '\\000', 1)] \
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid \
        WHERE relnamespace = current_schema()::regnamespace AND proname = 'record_change'
        """

    private static let indexesQuery: Statement = """
        SELECT ARRAY[tables.relname::text, indexes.relname::text, pg_get_indexdef(indexrelid, 0, true)] FROM pg_index \
        JOIN pg_class tables ON tables.oid = indrelid JOIN pg_class indexes ON indexes.oid = indexrelid \
        WHERE tables.relnamespace = current_schema()::regnamespace \
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
        """
}

extension Catalog.Column {
    /// Decodes a row of the columns query.
    fileprivate init(_ row: [String]) {
        (name, type, isNullable) = (row[1], row[2], row[3] == "true")
        let (expression, identity, generated, options) = (row[4], row[5], row[6], row[8])
        sequence = row[7].isEmpty ? nil : row[7]
        collation = row[9].isEmpty ? nil : row[9]
        if !identity.isEmpty {
            let clause = "GENERATED \(identity == "a" ? "ALWAYS" : "BY DEFAULT") AS IDENTITY"
            value = .identity(options.isEmpty ? clause : "\(clause) (\(options))")
        } else if !generated.isEmpty {
            value = .generated(expression)
        } else if let sequence, expression == "nextval(\(literal(sequence))::regclass)" {
            value = .serial
        } else {
            value = expression.isEmpty ? .null : .expression(expression)
        }
    }
}

extension Catalog.Index {
    /// Parses a definition such as `CREATE UNIQUE INDEX name ON table USING btree (name)`.
    init(definition: String) {
        isUnique = definition.hasPrefix("CREATE UNIQUE ")
        text = definition.firstRange(of: " USING ").map { "USING " + definition[$0.upperBound...] } ?? definition
    }
}

extension Connection {
    /// Returns the rows of a query with a single column of type `text[]`.
    /// - Throws: `PostgresError`.
    func rows(_ query: Statement) async throws -> [[String]] {
        let result = try await execute(query)
        return try (0..<result.count).map { index in
            var row = result.row(index)
            return try row.next([String].self)
        }
    }
}
