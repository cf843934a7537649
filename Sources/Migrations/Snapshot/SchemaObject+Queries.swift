import SQL

/// The queries for the statements that create the objects of a schema. They must run with an empty `search_path`, so
/// that Postgres qualifies all names.
extension SchemaObject {
    /// The queries, each with the kind of the objects that it returns. Each row is an array of the object's key, its
    /// name, and the statements that create it.
    static let queries: [(kind: Kind, sql: String)] = [
        (.schema, schemas), (.extension, extensions), (.type, collations), (.type, enums), (.type, domains),
        (.type, composites), (.type, ranges), (.sequence, sequences), (.function, functions), (.table, tables),
        (.owner, owners), (.index, indexes), (.partition, partitions), (.view, views), (.statistics, statistics),
        (.trigger, triggers), (.rule, rules), (.policy, policies), (.foreignKey, foreignKeys),
    ]

    private static let (isUserSchema, isNotInExtension, isNotBookkeeping) = (
        Inventory.isUserSchema, Inventory.isNotInExtension, Inventory.isNotBookkeeping
    )

    /// The SQL expression for an object's key: catalog and oid, as in `pg_depend`.
    static func key(_ catalog: String, _ oid: String) -> String { "('\(catalog)'::regclass::oid || ' ' || \(oid))" }

    /// The SQL condition for relations to dump: those that belong neither to an extension nor to the tool itself.
    static func isDumped(_ relation: String) -> String {
        "\(isUserSchema) AND \(isNotBookkeeping("\(relation).relname")) AND "
            + "\(isNotInExtension("pg_class", "\(relation).oid"))"
    }

    /// The SQL condition that an object is not created implicitly with another one, as the functions of a range type
    /// are.
    static func isStandalone(_ catalog: String, _ oid: String) -> String {
        "NOT EXISTS (SELECT FROM pg_depend WHERE classid = '\(catalog)'::regclass AND objid = \(oid) AND deptype = 'i')"
    }

    private static let schemas = """
        SELECT ARRAY[\(key("pg_namespace", "oid")), quote_ident(nspname), 'CREATE SCHEMA ' || quote_ident(nspname)] \
        FROM pg_namespace WHERE \(isUserSchema) AND nspname <> 'public' AND \(isNotInExtension("pg_namespace", "oid"))
        """

    /// The query for all extensions except `plpgsql`, which every database has.
    private static let extensions = """
        SELECT ARRAY[\(key("pg_extension", "e.oid")), quote_ident(extname), \
        format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I', extname, nspname)] \
        FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql'
        """

    // MARK: Types

    /// The query for collations. The catalog's column for the ICU locale has different names in different versions of
    /// Postgres.
    private static let collations = """
        SELECT ARRAY[\(key("pg_collation", "c.oid")), format('%I.%I', nspname, collname), \
        format('CREATE COLLATION %I.%I (%s)', nspname, collname, concat_ws(', ', \
        'provider = ' || CASE collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END, \
        'locale = ' || quote_literal(coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale')), \
        'lc_collate = ' || quote_literal(collcollate), 'lc_ctype = ' || quote_literal(collctype), \
        CASE WHEN NOT collisdeterministic THEN 'deterministic = false' END))] \
        FROM pg_collation c JOIN pg_namespace n ON n.oid = collnamespace WHERE \(isUserSchema) AND \(isNotInExtension("pg_collation", "c.oid"))
        """

    private static let enums = """
        SELECT ARRAY[\(key("pg_type", "t.oid")), t.oid::regtype::text, format('CREATE TYPE %s AS ENUM (%s)', t.oid::regtype, \
        (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))] \
        FROM pg_type t JOIN pg_namespace ON pg_namespace.oid = typnamespace \
        WHERE typtype = 'e' AND \(isUserSchema) AND \(isNotInExtension("pg_type", "t.oid"))
        """

    private static let domains = """
        SELECT ARRAY[\(key("pg_type", "t.oid")), t.oid::regtype::text, concat_ws(' ', 'CREATE DOMAIN', t.oid::regtype, 'AS', \
        format_type(t.typbasetype, t.typtypmod), \
        CASE WHEN t.typcollation <> base.typcollation THEN 'COLLATE ' || t.typcollation::regcollation END, \
        'DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN 'NOT NULL' END, \
        (SELECT string_agg(format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), ' ' ORDER BY conname) \
        FROM pg_constraint WHERE contypid = t.oid AND contype = 'c' AND convalidated))] \
        || ARRAY(SELECT format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', t.oid::regtype, conname, pg_get_constraintdef(oid)) \
        FROM pg_constraint WHERE contypid = t.oid AND contype = 'c' AND NOT convalidated ORDER BY conname) \
        FROM pg_type t JOIN pg_type base ON base.oid = t.typbasetype JOIN pg_namespace ON pg_namespace.oid = t.typnamespace \
        WHERE t.typtype = 'd' AND \(isUserSchema) AND \(isNotInExtension("pg_type", "t.oid"))
        """

    private static let composites = """
        SELECT ARRAY[\(key("pg_type", "t.oid")), t.oid::regtype::text, format('CREATE TYPE %s AS (%s)', t.oid::regtype, \
        (SELECT string_agg(concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod), \
        CASE WHEN attcollation <> typcollation THEN 'COLLATE ' || attcollation::regcollation END), ', ' ORDER BY attnum) \
        FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped))] \
        FROM pg_type t JOIN pg_class c ON c.oid = typrelid JOIN pg_namespace ON pg_namespace.oid = typnamespace \
        WHERE relkind = 'c' AND \(isUserSchema) AND \(isNotInExtension("pg_type", "t.oid"))
        """

    private static let ranges = """
        SELECT ARRAY[\(key("pg_type", "t.oid")), t.oid::regtype::text, format('CREATE TYPE %s AS RANGE (%s)', t.oid::regtype, \
        concat_ws(', ', 'SUBTYPE = ' || format_type(rngsubtype, NULL), \
        (SELECT format('SUBTYPE_OPCLASS = %I.%I', nspname, opcname) FROM pg_opclass JOIN pg_namespace n ON n.oid = opcnamespace \
        WHERE pg_opclass.oid = rngsubopc AND NOT opcdefault), \
        CASE WHEN rngcollation <> sub.typcollation THEN 'COLLATION = ' || rngcollation::regcollation END, \
        'SUBTYPE_DIFF = ' || nullif(rngsubdiff, 0)::regproc, 'MULTIRANGE_TYPE_NAME = ' || rngmultitypid::regtype))] \
        FROM pg_range JOIN pg_type t ON t.oid = rngtypid JOIN pg_type sub ON sub.oid = rngsubtype \
        JOIN pg_namespace ON pg_namespace.oid = t.typnamespace WHERE \(isUserSchema) AND \(isNotInExtension("pg_type", "t.oid"))
        """

    // MARK: Sequences

    /// The SQL expressions for those options of a sequence that differ from their defaults, such as `INCREMENT BY 2`.
    private static let numbers = """
        CASE WHEN seqincrement <> 1 THEN 'INCREMENT BY ' || seqincrement END, CASE WHEN seqmin <> 1 THEN 'MINVALUE ' || seqmin END, \
        CASE WHEN seqmax <> \(greatest) THEN 'MAXVALUE ' || seqmax END, \
        CASE WHEN seqstart <> 1 THEN 'START WITH ' || seqstart END, \
        CASE WHEN seqcache <> 1 THEN 'CACHE ' || seqcache END, CASE WHEN seqcycle THEN 'CYCLE' END
        """

    private static let greatest = """
        CASE seqtypid::regtype::text WHEN 'smallint' THEN 32767 WHEN 'integer' THEN 2147483647 ELSE 9223372036854775807 END
        """

    /// The FROM items for sequences owned by a column: `s` is the sequence, `t` the table, `a` the column.
    static let owned = """
        pg_depend d JOIN pg_sequence ON seqrelid = objid JOIN pg_class s ON s.oid = objid JOIN pg_class t ON t.oid = refobjid \
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = refobjsubid AND d.classid = 'pg_class'::regclass \
        AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        """

    /// The SQL condition that an owned sequence is exactly the one that a serial type such as `bigserial` creates.
    private static let isSerial = """
        deptype = 'a' AND s.relname = t.relname || '_' || attname || '_seq' AND s.relnamespace = t.relnamespace \
        AND s.relpersistence = t.relpersistence AND seqtypid = atttypid AND attnotnull AND concat(\(numbers)) = '' \
        AND EXISTS (SELECT FROM pg_attrdef WHERE adrelid = t.oid AND adnum = attnum \
        AND pg_get_expr(adbin, adrelid) = format('nextval(%L::regclass)', s.oid::regclass))
        """

    private static let sequences = """
        SELECT ARRAY[\(key("pg_class", "c.oid")), c.oid::regclass::text, concat_ws(' ', 'CREATE SEQUENCE', c.oid::regclass, \
        CASE WHEN seqtypid <> 'bigint'::regtype THEN 'AS ' || format_type(seqtypid, NULL) END, \(numbers))] \
        FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE \(isDumped("c")) \
        AND NOT EXISTS (SELECT FROM \(owned) WHERE s.oid = c.oid AND (deptype = 'i' OR \(isSerial)))
        """

    private static let owners = """
        SELECT ARRAY['owner ' || s.oid, s.oid::regclass::text, \
        format('ALTER SEQUENCE %s OWNED BY %s.%I', s.oid::regclass, t.oid::regclass, attname)] \
        FROM \(owned) JOIN pg_namespace ON pg_namespace.oid = s.relnamespace \
        WHERE \(isDumped("s")) AND deptype = 'a' AND NOT (\(isSerial))
        """

    // MARK: Routines

    private static let functions = """
        SELECT ARRAY[\(key("pg_proc", "p.oid")), p.oid::regprocedure::text, rtrim(pg_get_functiondef(p.oid), E'\\n')] \
        FROM pg_proc p JOIN pg_namespace ON pg_namespace.oid = pronamespace \
        WHERE prokind <> 'a' AND \(isUserSchema) AND \(isNotInExtension("pg_proc", "p.oid")) AND \(isStandalone("pg_proc", "p.oid"))
        """

    // MARK: Tables

    private static let columns = """
        SELECT '    ' || concat_ws(' ', quote_ident(attname), \
        CASE WHEN serial THEN CASE atttypid::regtype::text WHEN 'bigint' THEN 'bigserial' WHEN 'integer' THEN 'serial' \
        ELSE 'smallserial' END ELSE format_type(atttypid, atttypmod) END, \
        CASE WHEN attcollation <> typcollation THEN 'COLLATE ' || attcollation::regcollation END, \
        CASE WHEN attgenerated <> '' THEN \
        format('GENERATED ALWAYS AS (%s)%s', expression, CASE attgenerated WHEN 's' THEN ' STORED' END) \
        WHEN attidentity <> '' THEN identity WHEN NOT serial THEN 'DEFAULT ' || expression END, \
        CASE WHEN attnotnull THEN 'NOT NULL' END) AS line, 0 AS rank, attnum AS place, '' AS name \
        FROM pg_attribute own JOIN pg_type ON pg_type.oid = atttypid \
        LEFT JOIN LATERAL (SELECT pg_get_expr(adbin, adrelid) AS expression FROM pg_attrdef \
        WHERE adrelid = attrelid AND adnum = attnum) value ON true \
        CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM \(owned) WHERE t.oid = own.attrelid AND a.attnum = own.attnum \
        AND \(isSerial)) AS serial) kind \
        LEFT JOIN LATERAL (SELECT concat('GENERATED ', CASE own.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, \
        ' AS IDENTITY', ' (' || nullif(concat_ws(' ', CASE WHEN s.relname <> t.relname || '_' || attname || '_seq' \
        OR s.relnamespace <> t.relnamespace THEN 'SEQUENCE NAME ' || s.oid::regclass END, \(numbers)), '') || ')') AS identity \
        FROM \(owned) WHERE t.oid = own.attrelid AND a.attnum = own.attnum AND deptype = 'i' LIMIT 1) numbered ON true \
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND (attislocal OR c.relispartition)
        """

    private static let constraints = """
        SELECT '    ' || format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), 1, \
        array_position(ARRAY['p', 'u', 'x', 'c'], contype::text), conname::text FROM pg_constraint k \
        WHERE \(isWritten) AND NOT \(isLate)
        """

    /// The SQL condition for constraints (except foreign keys) that are created with their table. Inherited constraints
    /// are excluded, except those of a partition, which is created as a separate table and then attached.
    private static let isWritten = """
        conrelid = c.oid AND contype IN ('p', 'u', 'x', 'c') AND (conislocal OR c.relispartition)
        """

    /// The SQL condition for constraints that need ALTER TABLE: NOT VALID constraints, because CREATE TABLE marks every
    /// check as valid, and all but the first of several keys on the same columns, because CREATE TABLE merges the keys.
    private static let isLate = """
        (NOT convalidated OR contype = 'u' AND EXISTS (SELECT FROM pg_constraint other WHERE other.conrelid = k.conrelid \
        AND other.conkey = k.conkey AND other.contype IN ('p', 'u') \
        AND (other.contype::text, other.conname) < (k.contype::text, k.conname)))
        """

    private static let creation = """
        concat('CREATE ', CASE relpersistence WHEN 'u' THEN 'UNLOGGED ' END, 'TABLE ', c.oid::regclass, ' (', \
        (SELECT E'\\n' || string_agg(line, E',\\n' ORDER BY rank, place, name) || E'\\n' \
        FROM (\(columns) UNION ALL \(constraints)) lines), ')', \
        CASE WHEN NOT relispartition THEN (SELECT ' INHERITS (' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) \
        || ')' FROM pg_inherits WHERE inhrelid = c.oid) END, \
        ' PARTITION BY ' || pg_get_partkeydef(c.oid), \
        ' WITH (' || array_to_string(reloptions || (SELECT array_agg('toast.' || option) FROM pg_class toast, \
        unnest(toast.reloptions) option WHERE toast.oid = c.reltoastrelid), ', ') || ')')
        """

    /// The query for the ALTER TABLE actions that set what CREATE TABLE cannot express.
    private static let alterations = """
        SELECT format('ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint k \
        WHERE \(isWritten) AND \(isLate) UNION ALL \
        SELECT format('ALTER COLUMN %I %s', attname, change) FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid \
        CROSS JOIN LATERAL (VALUES \
        (CASE WHEN attstorage <> typstorage THEN 'SET STORAGE ' || CASE attstorage WHEN 'p' THEN 'PLAIN' \
        WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END), \
        (CASE WHEN attstattarget >= 0 THEN 'SET STATISTICS ' || attstattarget END), \
        (CASE attcompression WHEN 'p' THEN 'SET COMPRESSION pglz' WHEN 'l' THEN 'SET COMPRESSION lz4' END), \
        ((SELECT 'SET (' || string_agg(option, ', ' ORDER BY option) || ')' FROM unnest(attoptions) option \
        WHERE option ~ '^n_distinct(_inherited)?='))) changes (change) \
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND change IS NOT NULL UNION ALL \
        SELECT CASE relreplident WHEN 'f' THEN 'REPLICA IDENTITY FULL' ELSE 'REPLICA IDENTITY NOTHING' END \
        WHERE relreplident IN ('f', 'n') UNION ALL SELECT 'ENABLE ROW LEVEL SECURITY' WHERE relrowsecurity \
        UNION ALL SELECT 'FORCE ROW LEVEL SECURITY' WHERE relforcerowsecurity UNION ALL \
        SELECT change FROM pg_index JOIN pg_class i ON i.oid = indexrelid, \(marks) WHERE indrelid = c.oid AND \(isConstraint)
        """

    /// The FROM item for the ALTER TABLE actions that refer to an index: CLUSTER ON and REPLICA IDENTITY.
    private static let marks = """
        LATERAL (SELECT format('CLUSTER ON %I', i.relname) WHERE indisclustered UNION ALL \
        SELECT format('REPLICA IDENTITY USING INDEX %I', i.relname) WHERE indisreplident) marks (change)
        """

    private static let isConstraint = """
        EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
        """

    private static let tables = """
        SELECT ARRAY[\(key("pg_class", "c.oid")), c.oid::regclass::text, \(creation)] || ARRAY(\
        SELECT format('ALTER TABLE ONLY %s %s', c.oid::regclass, change) FROM (\(alterations)) actions (change) \
        ORDER BY change COLLATE "C") \
        FROM pg_class c JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind IN ('r', 'p') AND \(isDumped("c"))
        """

    /// The query for indexes that belong to no constraint. The indexes of a partition are created before the partition
    /// is attached; ATTACH PARTITION then attaches them to the indexes of the partitioned table.
    private static let indexes = """
        SELECT ARRAY[\(key("pg_class", "i.oid")), i.oid::regclass::text, pg_get_indexdef(indexrelid)] || ARRAY(\
        SELECT format('ALTER TABLE %s %s', indrelid::regclass, change) FROM \(marks) UNION ALL \
        SELECT format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', i.oid::regclass, attnum, attstattarget) \
        FROM pg_attribute WHERE attrelid = i.oid AND attstattarget >= 0) \
        FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class c ON c.oid = indrelid \
        JOIN pg_namespace ON pg_namespace.oid = c.relnamespace WHERE \(isDumped("c")) AND NOT \(isConstraint)
        """

    private static let partitions = """
        SELECT ARRAY['partition ' || c.oid, c.oid::regclass::text, format('ALTER TABLE ONLY %s ATTACH PARTITION %s %s', \
        inhparent::regclass, c.oid::regclass, pg_get_expr(relpartbound, c.oid))] \
        FROM pg_class c JOIN pg_inherits ON inhrelid = c.oid JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE relkind IN ('r', 'p') AND relispartition AND \(isDumped("c"))
        """

    private static let foreignKeys = """
        SELECT ARRAY[\(key("pg_constraint", "k.oid")), format('%s.%I', conrelid::regclass, conname), \
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(k.oid))] \
        FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE contype = 'f' AND conparentid = 0 AND \(isDumped("c"))
        """

    // MARK: Views and other objects on tables

    private static let views = """
        SELECT ARRAY[\(key("pg_class", "c.oid")), c.oid::regclass::text, concat('CREATE ', \
        CASE relkind WHEN 'm' THEN 'MATERIALIZED ' END, 'VIEW ', c.oid::regclass, \
        ' WITH (' || array_to_string(reloptions, ', ') || ')', E' AS\\n', rtrim(pg_get_viewdef(c.oid), ';'), \
        CASE WHEN NOT relispopulated THEN E'\\n WITH NO DATA' END)] \
        || ARRAY(SELECT format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', c.oid::regclass, attname, \
        pg_get_expr(adbin, adrelid)) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum \
        WHERE adrelid = c.oid ORDER BY attnum) \
        FROM pg_class c JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind IN ('v', 'm') AND \(isDumped("c"))
        """

    private static let statistics = """
        SELECT ARRAY[\(key("pg_statistic_ext", "s.oid")), format('%I.%I', nspname, stxname), pg_get_statisticsobjdef(s.oid)] \
        || ARRAY(SELECT format('ALTER STATISTICS %I.%I SET STATISTICS %s', nspname, stxname, stxstattarget) \
        WHERE stxstattarget >= 0) \
        FROM pg_statistic_ext s JOIN pg_namespace ON pg_namespace.oid = stxnamespace \
        WHERE \(isUserSchema) AND \(isNotInExtension("pg_statistic_ext", "s.oid"))
        """

    /// The query for triggers. The triggers of a partition are created with the trigger of the partitioned table.
    private static let triggers = """
        SELECT ARRAY[\(key("pg_trigger", "g.oid")), format('%s.%I', tgrelid::regclass, tgname), pg_get_triggerdef(g.oid)] \
        || ARRAY(SELECT format('ALTER TABLE %s %s TRIGGER %I', tgrelid::regclass, \(firing("tgenabled")), tgname) \
        WHERE tgenabled <> 'O') \
        FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE NOT tgisinternal AND tgparentid = 0 AND \(isDumped("c"))
        """

    private static let rules = """
        SELECT ARRAY[\(key("pg_rewrite", "r.oid")), format('%s.%I', ev_class::regclass, rulename), \
        rtrim(pg_get_ruledef(r.oid), ';')] \
        || ARRAY(SELECT format('ALTER TABLE %s %s RULE %I', ev_class::regclass, \(firing("ev_enabled")), rulename) \
        WHERE ev_enabled <> 'O') \
        FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE rulename <> '_RETURN' AND \(isDumped("c"))
        """

    private static func firing(_ state: String) -> String {
        "CASE \(state) WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END"
    }

    private static let policies = """
        SELECT ARRAY[\(key("pg_policy", "p.oid")), format('%s.%I', polrelid::regclass, polname), concat_ws(' ', \
        format('CREATE POLICY %I ON %s', polname, polrelid::regclass), CASE WHEN NOT polpermissive THEN 'AS RESTRICTIVE' END, \
        'FOR ' || CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' END, \
        'TO ' || (SELECT string_agg(role::regrole::text, ', ' ORDER BY role::regrole::text COLLATE "C") FROM unnest(polroles) role \
        WHERE role <> 0), 'USING (' || pg_get_expr(polqual, polrelid) || ')', \
        'WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')')] \
        FROM pg_policy p JOIN pg_class c ON c.oid = polrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE \(isDumped("c"))
        """
}
