import SQL

/// Queries for what a snapshot needs besides the objects: dependencies, privileges, comments and rows.
extension Snapshot {
    private static let (isUserSchema, isNotInExtension, key) = (
        Inventory.isUserSchema, Inventory.isNotInExtension, SchemaObject.key
    )

    /// The query for the dependencies between objects, each with its `deptype`. Objects with oids below 16384 are built
    /// into Postgres, and left out.
    static let dependencies: Statement = """
        SELECT ARRAY[classid || ' ' || objid, refclassid || ' ' || refobjid, deptype::text] FROM pg_depend \
        WHERE objid >= 16384 AND refobjid >= 16384 ORDER BY classid, objid, refclassid, refobjid, deptype
        """

    /// The query for the dependencies of `owner` and `partition` objects; `pg_depend` has no rows for them. Each row is
    /// the object's key, followed by the keys of the objects that must be created before the object.
    static let orders = Statement(
        unsafe: """
            SELECT ARRAY['owner ' || s.oid, \(key("pg_class", "s.oid")), \(key("pg_class", "t.oid"))] FROM \(SchemaObject.owned) \
            UNION ALL \
            SELECT ARRAY['partition ' || inhrelid, \(key("pg_class", "inhrelid")), \(key("pg_class", "inhparent"))] || ARRAY(\
            SELECT \(key("pg_class", "indexrelid")) FROM pg_index WHERE indrelid IN (inhrelid, inhparent)) FROM pg_inherits
            """)

    /// Returns the query for the statements that drop objects.
    /// - Parameter keys: the keys of the objects.
    static func drops(_ keys: [String]) -> Statement {
        """
        SELECT ARRAY[key, CASE catalog WHEN 'owner' THEN format('ALTER SEQUENCE %s OWNED BY NONE', oid::regclass) \
        WHEN 'partition' THEN (SELECT format('ALTER TABLE %s DETACH PARTITION %s', inhparent::regclass, inhrelid::regclass) \
        FROM pg_inherits WHERE inhrelid = oid) \
        WHEN 'pg_constraint'::regclass::oid::text THEN \
        (SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint k WHERE k.oid = item.oid) \
        ELSE (SELECT format('DROP %s %s', \(unsafe: word), identity) FROM pg_identify_object(catalog::oid, oid, 0)) END] \
        FROM (SELECT key, split_part(key, ' ', 1) AS catalog, split_part(key, ' ', 2)::oid AS oid FROM unnest(\(keys)) key) item
        """
    }

    /// The SQL expression for the keyword of an object's type in COMMENT ON, ALTER and DROP.
    private static let word = """
        CASE WHEN type LIKE '% column' THEN 'COLUMN' WHEN type LIKE '% constraint' THEN 'CONSTRAINT' \
        WHEN type = 'statistics object' THEN 'STATISTICS' WHEN type = 'composite type' THEN 'TYPE' ELSE upper(type) END
        """

    /// The query for the COMMENT ON statements.
    static let comments = Statement(
        unsafe: """
            SELECT ARRAY[classoid || ' ' || objoid, format('COMMENT ON %s %s IS %L', \(word), \
            coalesce((SELECT format('%I ON DOMAIN %s', conname, contypid::regtype) FROM pg_constraint \
            WHERE type = 'domain constraint' AND oid = objoid), identity), description)] \
            FROM pg_description, pg_identify_object(classoid, objoid, objsubid) WHERE objoid >= 16384 \
            AND (classoid <> 'pg_extension'::regclass OR description IS DISTINCT FROM (SELECT comment FROM pg_available_extensions \
            JOIN pg_extension ON extname = name WHERE oid = objoid)) UNION ALL \
            SELECT ARRAY[\(key("pg_extension", "e.oid")), format('COMMENT ON EXTENSION %I IS NULL', extname)] FROM pg_extension e \
            JOIN pg_available_extensions ON name = extname WHERE comment IS NOT NULL AND obj_description(e.oid, 'pg_extension') IS NULL
            """)

    /// The query for the statements that mark objects as dependent on an extension (DEPENDS ON EXTENSION).
    static let extensionDependencies = Statement(
        unsafe: """
            SELECT ARRAY[classid || ' ' || objid, format('ALTER %s %s DEPENDS ON EXTENSION %I', \(word), identity, extname)] \
            FROM pg_depend JOIN pg_extension ON pg_extension.oid = refobjid, pg_identify_object(classid, objid, 0) WHERE deptype = 'x'
            """)

    // MARK: Rights

    /// The query for the GRANT and REVOKE statements that turn the default privileges of new objects into the actual
    /// ones. The privileges of owners are left out.
    static let rights = Statement(
        unsafe: """
            WITH holder (key, name, part, owner, acl, base) AS (\(holders)), \
            had AS (SELECT key, name, part, grantee, privilege_type, is_grantable FROM holder, aclexplode(base) \
            WHERE grantee <> owner), \
            has AS (SELECT key, name, part, grantee, privilege_type, is_grantable FROM holder, aclexplode(acl) \
            WHERE grantee <> owner), \
            change AS (SELECT 'REVOKE' AS verb, * FROM (TABLE had EXCEPT TABLE has) gone \
            UNION ALL SELECT 'GRANT', * FROM (TABLE has EXCEPT TABLE had) new) \
            SELECT ARRAY[key, concat_ws(' ', verb, string_agg(privilege_type || part, ', ' ORDER BY privilege_type), 'ON', name, \
            CASE verb WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END, \
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, \
            CASE WHEN verb = 'GRANT' AND is_grantable THEN 'WITH GRANT OPTION' END)] \
            FROM change GROUP BY key, name, part, verb, grantee, is_grantable
            """)

    private static let holders = """
        SELECT \(key("pg_class", "c.oid")), CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass, '', relowner, \
        relacl, acldefault((CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", relowner) \
        FROM pg_class c JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE relacl IS NOT NULL AND \(SchemaObject.isDumped("c")) UNION ALL \
        SELECT \(key("pg_class", "c.oid")), 'TABLE ' || c.oid::regclass, format(' (%I)', attname), relowner, attacl, \
        acldefault('c', relowner) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE attacl IS NOT NULL AND NOT attisdropped AND \(SchemaObject.isDumped("c")) UNION ALL \
        SELECT \(key("pg_namespace", "n.oid")), 'SCHEMA ' || quote_ident(nspname), '', nspowner, nspacl, \
        coalesce((SELECT initprivs FROM pg_init_privs WHERE objoid = n.oid AND classoid = 'pg_namespace'::regclass), \
        acldefault('n', nspowner)) FROM pg_namespace n \
        WHERE nspacl IS NOT NULL AND \(isUserSchema) AND \(isNotInExtension("pg_namespace", "n.oid")) UNION ALL \
        SELECT \(key("pg_proc", "p.oid")), 'ROUTINE ' || p.oid::regprocedure, '', proowner, proacl, acldefault('f', proowner) \
        FROM pg_proc p JOIN pg_namespace ON pg_namespace.oid = pronamespace \
        WHERE proacl IS NOT NULL AND \(isUserSchema) AND \(isNotInExtension("pg_proc", "p.oid")) UNION ALL \
        SELECT \(key("pg_type", "t.oid")), 'TYPE ' || t.oid::regtype, '', typowner, typacl, acldefault('T', typowner) \
        FROM pg_type t JOIN pg_namespace ON pg_namespace.oid = typnamespace \
        WHERE typacl IS NOT NULL AND \(isUserSchema) AND \(isNotInExtension("pg_type", "t.oid"))
        """

    // MARK: Unsupported objects

    /// The query for objects that a snapshot cannot contain.
    static let unsupported = Statement(
        unsafe: unsupportedCatalogs.map { catalog, condition in
            """
            SELECT ARRAY[pg_describe_object('\(catalog)'::regclass, x.oid, 0)] FROM \(catalog) x \
            WHERE x.oid >= 16384 AND \(condition) AND \(isNotInExtension(catalog, "x.oid")) \
            AND \(SchemaObject.isStandalone(catalog, "x.oid"))
            """
        }.joined(separator: " UNION ALL ") + " ORDER BY 1")

    private static let unsupportedCatalogs =
        [
            ("pg_proc", "prokind = 'a'"), ("pg_class", "(relkind = 'f' OR reloftype <> 0)"),
            ("pg_type", "(typtype = 'b' AND typcategory <> 'A' OR typtype = 'p')"),
            ("pg_type", "oid IN (SELECT rngtypid FROM pg_range WHERE rngcanonical <> 0)"),
            ("pg_class", "relam NOT IN (0, 2) AND relkind IN ('r', 'm')"),
            ("pg_subscription", "subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"),
        ]
        + [
            "pg_operator", "pg_opclass", "pg_opfamily", "pg_cast", "pg_conversion", "pg_ts_config", "pg_ts_dict",
            "pg_ts_parser",
            "pg_ts_template", "pg_language", "pg_am", "pg_transform", "pg_foreign_data_wrapper", "pg_foreign_server",
            "pg_publication", "pg_event_trigger", "pg_default_acl",
        ].map { ($0, "true") }

    // MARK: Rows

    /// The query for tables, with the fragments of SQL that read and insert their rows: the list of columns, the same
    /// list cast to text, the ORDER BY list, and the OVERRIDING clause for identity columns.
    static let tables = Statement(
        unsafe: """
            SELECT ARRAY[\(key("pg_class", "c.oid")), c.oid::regclass::text, coalesce(columns, ''), coalesce(texts, ''), \
            coalesce((SELECT string_agg(quote_ident(attname), ', ' ORDER BY array_position(conkey, attnum)) FROM pg_constraint \
            JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey) WHERE conrelid = c.oid AND contype = 'p'), \
            'aktify_row::text COLLATE "C"'), CASE WHEN counts THEN ' OVERRIDING SYSTEM VALUE' ELSE '' END] \
            FROM pg_class c JOIN pg_namespace ON pg_namespace.oid = relnamespace CROSS JOIN LATERAL \
            (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns, \
            string_agg(quote_ident(attname) || '::text', ', ' ORDER BY attnum) AS texts, bool_or(attidentity = 'a') AS counts \
            FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') own \
            WHERE relkind = 'r' AND \(SchemaObject.isDumped("c")) ORDER BY relname
            """)

    /// The query for sequences with their start values.
    static let sequences = Statement(
        unsafe: """
            SELECT ARRAY[\(key("pg_class", "c.oid")), c.oid::regclass::text, seqstart::text] FROM pg_sequence \
            JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE \(SchemaObject.isDumped("c"))
            """)
}
