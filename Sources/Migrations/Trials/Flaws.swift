import Postgres
import SQL

/// What a database has, but what is not in force there: a comparison of definitions does not see it.
public struct Flaws {
    /// What is wrong, with what to do about it, a sentence each.
    /// - Throws: `PostgresError`.
    public static func found(in configuration: PostgresConfiguration) async throws -> [String] {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        var flaws: [String] = []
        for query in [invalidIndexes, uncheckedConstraints, disabledTriggers] {
            flaws += try await connection.rows(query).map { $0[0] }
        }
        return flaws
    }

    /// Whether an index is invalid, and nobody is just building it.
    static let isLeftInvalid = """
        NOT indisvalid AND relkind = 'i' AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index \
        WHERE index_relid = indexrelid AND pid <> pg_backend_pid())
        """

    private static let invalidIndexes: Statement = """
        SELECT ARRAY[format('the index %1$s on %2$s is invalid, and not used: REINDEX INDEX CONCURRENTLY %1$s', \
        indexrelid::regclass, indrelid::regclass)] FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
        WHERE relnamespace = current_schema()::regnamespace AND \(unsafe: isLeftInvalid) ORDER BY 1
        """

    private static let uncheckedConstraints: Statement = """
        SELECT ARRAY[format('the constraint %1$I on %2$s is not valid for the rows that were there before it: ALTER TABLE %2$s \
        VALIDATE CONSTRAINT %1$I', conname, conrelid::regclass)] FROM pg_constraint \
        WHERE connamespace = current_schema()::regnamespace AND conrelid <> 0 AND NOT convalidated ORDER BY 1
        """

    /// Those that enforce foreign keys have no names of their own that anybody knows.
    private static let disabledTriggers: Statement = """
        SELECT DISTINCT ARRAY[CASE WHEN tgconstraint <> 0 AND tgisinternal \
        THEN format('the foreign key %1$I is not enforced on %2$s, since its triggers are disabled: \
        ALTER TABLE %2$s ENABLE TRIGGER ALL', conname, tgrelid::regclass) \
        ELSE format('the trigger %1$I on %2$s is disabled: \
        ALTER TABLE %2$s ENABLE TRIGGER %1$I', tgname, tgrelid::regclass) END] \
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid LEFT JOIN pg_constraint ON pg_constraint.oid = tgconstraint \
        WHERE relnamespace = current_schema()::regnamespace AND tgenabled = 'D' ORDER BY 1
        """
}
