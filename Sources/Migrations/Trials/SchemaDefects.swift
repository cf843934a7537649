import Postgres
import SQL

/// Finds objects that exist but are not in effect, which a comparison of definitions does not show: invalid indexes,
/// constraints that are not validated, and disabled triggers.
public struct SchemaDefects {
    /// Returns descriptions of the defects in the current schema, each with a remedy.
    /// - Throws: `PostgresError`.
    public static func found(in configuration: PostgresConfiguration) async throws -> [String] {
        let connection = try await Connection.open(configuration)
        defer { connection.close() }
        var defects: [String] = []
        for query in [invalidIndexes, uncheckedConstraints, disabledTriggers] {
            defects += try await connection.rows(query).map { $0[0] }
        }
        return defects
    }

    /// The SQL condition that an index is invalid and not being built by another session.
    static let isInvalidIndex = """
        NOT indisvalid AND relkind = 'i' AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index \
        WHERE index_relid = indexrelid AND pid <> pg_backend_pid())
        """

    private static let invalidIndexes: Statement = """
        SELECT ARRAY[format('the index %1$s on %2$s is invalid, and not used: REINDEX INDEX CONCURRENTLY %1$s', \
        indexrelid::regclass, indrelid::regclass)] FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
        WHERE relnamespace = current_schema()::regnamespace AND \(unsafe: isInvalidIndex) ORDER BY 1
        """

    private static let uncheckedConstraints: Statement = """
        SELECT ARRAY[format('the constraint %1$I on %2$s is not validated for existing rows: ALTER TABLE %2$s \
        VALIDATE CONSTRAINT %1$I', conname, conrelid::regclass)] FROM pg_constraint \
        WHERE connamespace = current_schema()::regnamespace AND conrelid <> 0 AND NOT convalidated ORDER BY 1
        """

    /// The query for disabled triggers. The triggers that enforce a foreign key have generated names, so the foreign
    /// key is named instead.
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
