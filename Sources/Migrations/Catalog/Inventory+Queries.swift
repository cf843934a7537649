import SQL

extension Inventory {
    /// The queries of the inventory. Each returns the names of objects and their definitions.
    static let queries: [Statement] = [
        schemas, relations, columns, constraints, indexes, sequences, routines, triggers, rules, policies, types,
        labels, extensions,
        statistics, comments, privileges,
    ].map { Statement(unsafe: "SELECT ARRAY[\($0)") }

    /// The SQL condition that a schema is not one of Postgres's own.
    static let isUserSchema = "nspname !~ '^pg_' AND nspname <> 'information_schema'"

    /// The SQL condition that an object does not belong to an extension.
    static func isNotInExtension(_ catalog: String, _ oid: String) -> String {
        "NOT EXISTS (SELECT FROM pg_depend WHERE classid = '\(catalog)'::regclass AND objid = \(oid) AND deptype = 'e')"
    }

    /// A regular expression for the names of the migration tool's own tables, and of their indexes and sequences.
    static let bookkeeping = "(alembic_version|migration_history|migration_revision)(_pkc|_pkey|_id_seq)?"

    /// The SQL condition that a relation is not one of the migration tool's own tables, indexes and sequences.
    static func isNotBookkeeping(_ name: String) -> String { "\(name) !~ '^\(bookkeeping)$'" }

    /// Returns the SQL expression for an access control list in a canonical order; a missing list is replaced by the
    /// default privileges.
    private static func rights(_ list: String, _ kind: String, _ owner: String) -> String {
        """
        ' ' || coalesce((SELECT string_agg(item::text, ',' ORDER BY item::text) \
        FROM unnest(coalesce(\(list), acldefault('\(kind)', \(owner)))) item), '')
        """
    }

    private static let schemas = """
        'schema ' || nspname, nspowner::regrole::text || \(rights("nspacl", "n", "nspowner"))] FROM pg_namespace \
        WHERE \(isUserSchema) AND \(isNotInExtension("pg_namespace", "oid"))
        """

    private static let kind = """
        CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' \
        WHEN 'f' THEN 'foreign table' ELSE 'table' END
        """

    private static let relations = """
        \(kind) || ' ' || nspname || '.' || relname, concat_ws(' ', relowner::regrole, relkind, relpersistence, relrowsecurity, \
        relforcerowsecurity, reloptions::text, relispartition, pg_get_partkeydef(pg_class.oid), \
        pg_get_expr(relpartbound, pg_class.oid), CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(pg_class.oid) END) \
        || CASE relkind WHEN 'S' THEN \(rights("relacl", "s", "relowner")) ELSE \(rights("relacl", "r", "relowner")) END] \
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE \(isUserSchema) AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND \(isNotBookkeeping("relname")) \
        AND \(isNotInExtension("pg_class", "pg_class.oid"))
        """

    private static let columns = """
        'column ' || nspname || '.' || relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, \
        pg_get_expr(adbin, adrelid), attidentity, attgenerated, attcollation::regcollation, attacl::text)] \
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum \
        WHERE \(isUserSchema) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND attnum > 0 AND NOT attisdropped \
        AND \(isNotBookkeeping("relname")) AND \(isNotInExtension("pg_class", "pg_class.oid"))
        """

    private static let constraints = """
        'constraint ' || conname || ' of ' || nspname || '.' || coalesce(relname, typname), \
        pg_get_constraintdef(pg_constraint.oid)] \
        FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace LEFT JOIN pg_class ON pg_class.oid = conrelid \
        LEFT JOIN pg_type ON pg_type.oid = contypid WHERE \(isUserSchema) AND \(isNotBookkeeping("coalesce(relname, typname)")) \
        AND contype <> 't' AND \(isNotInExtension("pg_constraint", "pg_constraint.oid"))
        """

    private static let indexes = """
        'index ' || nspname || '.' || relname, concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, indisclustered, \
        indisreplident)] FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
        JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE \(isUserSchema) AND \(isNotBookkeeping("relname")) AND \(isNotInExtension("pg_class", "indrelid"))
        """

    private static let sequences = """
        'numbers of sequence ' || nspname || '.' || relname, concat_ws(' ', format_type(seqtypid, NULL), seqstart, seqincrement, \
        seqmin, seqmax, seqcache, seqcycle, (SELECT deptype::text || refobjid::regclass::text || attname FROM pg_depend \
        JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid WHERE classid = 'pg_class'::regclass \
        AND objid = seqrelid AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i') LIMIT 1))] \
        FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE \(isUserSchema) AND \(isNotBookkeeping("relname")) AND \(isNotInExtension("pg_class", "seqrelid"))
        """

    private static let routines = """
        'function ' || pg_proc.oid::regprocedure, proowner::regrole || ' ' || CASE WHEN prokind = 'a' THEN 'aggregate' \
        ELSE pg_get_functiondef(pg_proc.oid) END || \(rights("proacl", "f", "proowner"))] \
        FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace WHERE \(isUserSchema) AND \(isNotInExtension("pg_proc", "pg_proc.oid"))
        """

    private static let triggers = """
        'trigger ' || tgname || ' on ' || tgrelid::regclass, pg_get_triggerdef(pg_trigger.oid) || ' ' || tgenabled::text] \
        FROM pg_trigger WHERE NOT tgisinternal UNION ALL SELECT ARRAY['event trigger ' || evtname, \
        evtevent::text || ' ' || evtfoid::regproc::text || ' ' || evtenabled::text || coalesce(evttags::text, '')] \
        FROM pg_event_trigger
        """

    private static let rules = """
        'rule ' || rulename || ' on ' || ev_class::regclass, pg_get_ruledef(pg_rewrite.oid) || ' ' || ev_enabled::text] \
        FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE \(isUserSchema) AND rulename <> '_RETURN' AND \(isNotInExtension("pg_class", "ev_class"))
        """

    private static let policies = """
        'policy ' || policyname || ' on ' || schemaname || '.' || tablename, \
        concat_ws(' ', permissive, roles::text, cmd, qual, with_check)] FROM pg_policies
        """

    private static let types = """
        'type ' || pg_type.oid::regtype, concat_ws(' ', typowner::regrole, typtype, typnotnull, typdefault, \
        CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod) END) || \(rights("typacl", "T", "typowner"))] \
        FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace \
        WHERE \(isUserSchema) AND typtype IN ('d', 'e', 'r', 'm') AND \(isNotInExtension("pg_type", "pg_type.oid"))
        """

    private static let labels = """
        'labels of type ' || enumtypid::regtype, string_agg(quote_literal(enumlabel), ' ' ORDER BY enumsortorder)] \
        FROM pg_enum WHERE \(isNotInExtension("pg_type", "enumtypid")) GROUP BY enumtypid
        """

    private static let extensions = """
        'extension ' || extname, extversion || ' ' || extnamespace::regnamespace] FROM pg_extension
        """

    private static let statistics = """
        'statistics ' || nspname || '.' || stxname, pg_get_statisticsobjdef(pg_statistic_ext.oid)] \
        FROM pg_statistic_ext JOIN pg_namespace ON pg_namespace.oid = stxnamespace WHERE \(isUserSchema)
        """

    /// The query for comments on objects other than Postgres's own, whose oids are below 16384.
    private static let comments = """
        'comment on ' || pg_describe_object(described.classoid, described.objoid, described.objsubid), description] \
        FROM pg_description described WHERE described.objoid >= 16384 AND \
        NOT EXISTS (SELECT FROM pg_depend WHERE classid = described.classoid AND objid = described.objoid AND deptype = 'e') \
        AND NOT (described.classoid = 'pg_extension'::regclass)
        """

    private static let privileges = """
        pg_describe_object('pg_default_acl'::regclass, oid, 0), defaclacl::text] FROM pg_default_acl
        """
}
