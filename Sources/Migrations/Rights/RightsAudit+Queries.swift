import SQL

/// The queries of the audit. Each row is a finding: the raw value of its `Remedy`, the problem, and the statement that
/// fixes the problem.
///
/// Privileges of PUBLIC are audited too, since the role has them. They do not replace the privileges that the role
/// needs: each of these must be granted to the role itself. Tables, sequences and functions of extensions are ignored.
extension RightsAudit {
    /// All queries of the audit.
    var queries: [Statement] {
        [
            Self.attributes, Self.memberships, Self.ownership, Self.databaseRights, Self.schemaRights, Self.tableRights,
            Self.grantOptions, Self.routineRights, Self.defaultRights, Self.otherRights, Self.missingRights,
        ].map(query)
    }

    /// Adds common table expressions to a query: the role as `app`, the privileges that the role needs as `needed`, and
    /// the privileges that the role or PUBLIC holds on tables, columns and sequences of other owners as `held`. Where
    /// INSERT is needed, USAGE of the sequences that the table's columns own is needed, too.
    private func query(_ text: String) -> Statement {
        """
        WITH app AS (SELECT oid, rolname::text AS role, rolsuper FROM pg_roles WHERE rolname = \(role)), \
        listed (relation, privilege, part) AS (SELECT to_regclass(quote_ident(name))::oid, privilege, part \
        FROM unnest(\(rights.map(\.table)), \(rights.map(\.privilege.rawValue)), \(rights.map { $0.column ?? "" })) \
        listed (name, privilege, part)), \
        needed (relation, privilege, part) AS (SELECT * FROM listed WHERE relation IS NOT NULL \
        UNION SELECT objid, 'USAGE', '' FROM listed JOIN pg_depend ON refobjid = relation AND deptype = 'a' \
        JOIN pg_class ON pg_class.oid = objid AND relkind = 'S' WHERE privilege = 'INSERT' \
        AND classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass), \
        granted (relation, privilege, part, grantee, is_grantable) AS (\
        SELECT oid, privilege_type, '', grantee, is_grantable FROM pg_class, \
        aclexplode(coalesce(relacl, acldefault((CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", relowner))) \
        UNION ALL SELECT attrelid, privilege_type, attname::text, grantee, is_grantable FROM pg_attribute, aclexplode(attacl) \
        WHERE NOT attisdropped), \
        held AS (SELECT granted.*, \(unsafe: Self.target("privilege")) AS target FROM granted JOIN pg_class c ON c.oid = relation \
        JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE \(unsafe: Self.isUserSchema) \
        AND grantee IN (0, (SELECT oid FROM app)) AND relowner <> (SELECT oid FROM app) \
        AND \(unsafe: Self.isNotInExtension("pg_class", "c.oid"))) \
        \(unsafe: text)
        """
    }

    // MARK: The role

    private static let attributes = """
        SELECT ARRAY['superuser', (SELECT role FROM app) || ' has ' || attribute, format('ALTER ROLE %I NO%s', rolname, attribute)] \
        FROM pg_roles CROSS JOIN LATERAL (VALUES ('SUPERUSER', rolsuper), ('CREATEDB', rolcreatedb), \
        ('CREATEROLE', rolcreaterole), ('REPLICATION', rolreplication), ('BYPASSRLS', rolbypassrls)) \
        attributes (attribute, has) WHERE rolname = (SELECT role FROM app) AND has
        """

    private static let memberships = """
        SELECT ARRAY['superuser', format('%s is a member of %s', (SELECT role FROM app), other.rolname), \
        format('REVOKE %I FROM %I', other.rolname, (SELECT role FROM app))] \
        FROM pg_auth_members JOIN pg_roles other ON other.oid = roleid WHERE member = (SELECT oid FROM app) ORDER BY other.rolname
        """

    /// The query for objects that the role owns, except those that belong to a table or an extension and follow its
    /// ownership.
    private static let ownership = """
        SELECT ARRAY['superuser', format('%s owns %s', (SELECT role FROM app), pg_describe_object(classid, objid, 0)), \
        format('ALTER %s %s OWNER TO %s', upper(type), identity, \
        CASE current_user WHEN (SELECT role FROM app) THEN 'aktify_owner' ELSE quote_ident(current_user) END)] \
        FROM pg_shdepend AS dependency, pg_identify_object(classid, objid, 0) WHERE refclassid = 'pg_authid'::regclass \
        AND refobjid = (SELECT oid FROM app) AND deptype = 'o' AND \(isHere) AND classid <> 'pg_default_acl'::regclass \
        AND coalesce(schema, '') !~ '^pg_(temp|toast)' AND NOT EXISTS (SELECT FROM pg_depend \
        WHERE pg_depend.classid = dependency.classid AND pg_depend.objid = dependency.objid AND deptype IN ('a', 'i', 'e')) \
        ORDER BY identity
        """

    // MARK: Excess privileges

    private static let databaseRights = """
        SELECT ARRAY['exact', format('%s has %s on the database', \(grantee), privilege_type), \
        format('REVOKE %s ON DATABASE %I FROM %s', privilege_type, datname, \(quotedGrantee))] \
        FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) \
        WHERE datname = current_database() AND grantee IN (0, (SELECT oid FROM app)) AND datdba <> (SELECT oid FROM app) AND privilege_type <> 'CONNECT'
        """

    private static let schemaRights = """
        SELECT ARRAY['exact', format('%s has %s on schema %s', \(grantee), privilege_type, nspname), \
        format('REVOKE %s ON SCHEMA %I FROM %s', privilege_type, nspname, \(quotedGrantee))] \
        FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) \
        WHERE \(isUserSchema) AND grantee IN (0, (SELECT oid FROM app)) AND nspowner <> (SELECT oid FROM app) \
        AND NOT (privilege_type = 'USAGE' AND pg_namespace.oid IN (SELECT relnamespace FROM pg_class \
        WHERE oid IN (SELECT relation FROM needed)))
        """

    private static let tableRights = """
        SELECT ARRAY['exact', format('%s has %s', \(grantee), target), format('REVOKE %s FROM %s', target, \(quotedGrantee))] \
        FROM held WHERE grantee = 0 OR NOT EXISTS (SELECT FROM needed \
        WHERE (needed.relation, needed.privilege, needed.part) = (held.relation, held.privilege, held.part)) \
        ORDER BY part, target
        """

    private static let grantOptions = """
        SELECT ARRAY['exact', format('%s may grant %s', (SELECT role FROM app), target), \
        format('REVOKE GRANT OPTION FOR %s FROM %I', target, (SELECT role FROM app))] FROM held WHERE is_grantable
        """

    /// The query for excess EXECUTE privileges on functions of other owners: all those of the role, which needs none
    /// (not even for triggers to run), and those of PUBLIC on SECURITY DEFINER functions, which act with their owner's
    /// privileges.
    private static let routineRights = """
        SELECT ARRAY[CASE grantee WHEN 0 THEN 'safe' ELSE 'exact' END, \
        format('%s may execute %s%s', \(grantee), p.oid::regprocedure, \
        CASE WHEN prosecdef THEN ', which runs as its owner' END), \
        format('REVOKE EXECUTE ON ROUTINE %s FROM %s', p.oid::regprocedure, \(quotedGrantee))] \
        FROM pg_proc p JOIN pg_namespace ON pg_namespace.oid = pronamespace, aclexplode(coalesce(proacl, acldefault('f', proowner))) \
        WHERE \(isUserSchema) AND proowner <> (SELECT oid FROM app) AND (grantee = (SELECT oid FROM app) OR grantee = 0 AND prosecdef) \
        AND \(isNotInExtension("pg_proc", "p.oid"))
        """

    /// The query for default privileges (ALTER DEFAULT PRIVILEGES) that the role or PUBLIC gets on future objects of
    /// other owners. Those of PUBLIC on functions and types are left out, because Postgres grants them anyway.
    private static let defaultRights = """
        SELECT ARRAY['superuser', format('%s gets %s on new %s of %s', \(grantee), privilege_type, lower(kind), defaclrole::regrole), \
        format('ALTER DEFAULT PRIVILEGES FOR ROLE %s%s REVOKE %s ON %s FROM %s', defaclrole::regrole, \
        CASE WHEN defaclnamespace <> 0 THEN ' IN SCHEMA ' || defaclnamespace::regnamespace END, privilege_type, kind, \
        \(quotedGrantee))] \
        FROM pg_default_acl, aclexplode(defaclacl), (VALUES ('r', 'TABLES'), ('S', 'SEQUENCES'), ('f', 'FUNCTIONS'), \
        ('T', 'TYPES'), ('n', 'SCHEMAS')) kinds (letter, kind) WHERE letter = defaclobjtype::text \
        AND (grantee = (SELECT oid FROM app) OR grantee = 0 AND letter NOT IN ('f', 'T')) AND defaclrole <> (SELECT oid FROM app)
        """

    /// The query for privileges of the role, but not of PUBLIC, on tablespaces, languages, types, foreign servers,
    /// large objects, parameters and other databases.
    private static let otherRights = """
        SELECT ARRAY['superuser', format('%s has rights on %s', (SELECT role FROM app), pg_describe_object(classid, objid, 0)), \
        format('REVOKE ALL ON %s %s FROM %I', CASE type WHEN 'server' THEN 'FOREIGN SERVER' WHEN 'parameter ACL' \
        THEN 'PARAMETER' ELSE upper(replace(type, '-', ' ')) END, identity, (SELECT role FROM app))] \
        FROM pg_shdepend, pg_identify_object(classid, objid, 0) WHERE refclassid = 'pg_authid'::regclass \
        AND refobjid = (SELECT oid FROM app) AND deptype = 'a' AND \(isHere) AND classid NOT IN ('pg_database'::regclass, \
        'pg_namespace'::regclass, 'pg_class'::regclass, 'pg_proc'::regclass, 'pg_default_acl'::regclass) \
        UNION ALL SELECT ARRAY['superuser', format('%s may connect to %s', (SELECT role FROM app), datname), \
        format('REVOKE ALL ON DATABASE %I FROM %I', datname, (SELECT role FROM app))] FROM pg_database, aclexplode(datacl) \
        WHERE datname <> current_database() AND grantee = (SELECT oid FROM app) AND datdba <> (SELECT oid FROM app)
        """

    // MARK: Missing privileges

    private static let missingRights = """
        SELECT ARRAY['safe', format('%s lacks %s', (SELECT role FROM app), target), format('GRANT %s TO %I', target, (SELECT role FROM app))] FROM (\
        SELECT 'CONNECT ON DATABASE ' || quote_ident(datname) AS target, 1 AS place, datdba AS owner, \
        coalesce(datacl, acldefault('d', datdba)) AS acl, 'CONNECT' AS privilege FROM pg_database WHERE datname = current_database() \
        UNION ALL SELECT 'USAGE ON SCHEMA ' || quote_ident(nspname), 2, nspowner, coalesce(nspacl, acldefault('n', nspowner)), 'USAGE' \
        FROM pg_namespace WHERE oid IN (SELECT relnamespace FROM pg_class WHERE oid IN (SELECT relation FROM needed)) \
        UNION ALL SELECT \(target("needed.privilege")), 3, relowner, coalesce(CASE part WHEN '' THEN relacl ELSE attacl END, \
        acldefault('c', relowner)), needed.privilege FROM needed JOIN pg_class c ON c.oid = relation \
        LEFT JOIN pg_attribute ON attrelid = c.oid AND attname = part) needed \
        WHERE owner <> (SELECT oid FROM app) AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = (SELECT role FROM app)) \
        AND NOT EXISTS (SELECT FROM aclexplode(acl) WHERE privilege_type = privilege AND grantee = (SELECT oid FROM app)) \
        ORDER BY place, target
        """

    // MARK: Parts

    private static let grantee = "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE (SELECT role FROM app) END"

    private static let quotedGrantee = "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident((SELECT role FROM app)) END"

    /// The SQL condition that an object belongs to this database, or is shared by all databases.
    private static let isHere = "dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"

    /// The SQL condition that a schema is not one of Postgres's own.
    private static let isUserSchema = "nspname !~ '^pg_' AND nspname <> 'information_schema'"

    /// The SQL condition that an object does not belong to an extension.
    private static func isNotInExtension(_ catalog: String, _ oid: String) -> String {
        "NOT EXISTS (SELECT FROM pg_depend WHERE classid = '\(catalog)'::regclass AND objid = \(oid) AND deptype = 'e')"
    }

    /// Returns an SQL expression for the text of a privilege on the table or sequence `c`, such as
    /// `UPDATE (last_used_on) ON api_key`.
    private static func target(_ privilege: String) -> String {
        "format('%s%s ON %s%s', \(privilege), ' (' || quote_ident(nullif(part, '')) || ')', "
            + "CASE relkind WHEN 'S' THEN 'SEQUENCE ' END, c.oid::regclass)"
    }
}
