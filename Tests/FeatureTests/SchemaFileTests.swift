import EventLoop
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// The file that `aktify db dump` writes recreates the same schema.
@Suite struct SchemaFileTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    /// Executes `sql`, and returns the verified script that creates the resulting schema.
    private func text(_ sql: String) throws -> String {
        try database.sql(sql)
        let configuration = database.directConfiguration()
        return try Loop.run { try await SchemaFile.verifiedText(of: configuration) }
    }

    /// Executes `sql`, and returns the script that creates the resulting schema, without its header line.
    private func statements(_ sql: String) throws -> String {
        String(try text(sql).split(separator: "\n\n", maxSplits: 1)[1])
    }

    /// Runs the script `text` in another database with psql, and expects the schemas of the two databases to be equal.
    private func expectSame(_ text: String) throws {
        let (folder, other) = (try Folder(), try TestDatabase())
        try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/schema.sql"))
        let (status, output) = try runToEnd(
            ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", "\(folder.path)/schema.sql"],
            environment: other.psqlEnvironment)
        #expect(status == 0, "\(output)")
        #expect(try other.inventory() == database.inventory())
        #expect(try other.schemaDump() == database.schemaDump())
        let configuration = other.directConfiguration()
        #expect(try Loop.run { try await SchemaFile.text(of: configuration) } == text)
    }

    @Test func `the schema with all features is recreated, except for those listed as unsupported`() throws {
        let graph = try ScriptDirectory("\(checkout)/Tests/FeatureTests/Corpus").graph()
        var options = Migrator.Options()
        options.allowsDataLoss = true
        let migrator = Migrator(graph: graph, configuration: database.directConfiguration(), options: options) { _ in }
        try Loop.run { try await migrator.upgrade() }
        let error = #expect(throws: MigrationFailed.self) { try text("SELECT 1") }
        #expect(
            error?.description == "the schema contains unsupported objects: function public.product(integer), "
                + "operator public.<+>(integer,integer), text search configuration public.own")
        try expectSame(
            text("DROP AGGREGATE product(int); DROP OPERATOR <+> (int, int); DROP TEXT SEARCH CONFIGURATION own"))
    }

    @Test func `a table is written with its own objects, and foreign keys come last`() throws {
        let written = try statements(
            """
            CREATE TABLE b (id bigserial PRIMARY KEY, a_id bigint, n int GENERATED ALWAYS AS IDENTITY (START 5));
            CREATE TABLE a (id serial, "two words" text COLLATE "C" DEFAULT 'x' NOT NULL, PRIMARY KEY (id), CHECK (id \
            > 0));
            ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES a; COMMENT ON COLUMN b.n IS 'it''s'; CREATE INDEX i ON a \
            ("two words")
            """)
        #expect(
            written == """
                CREATE TABLE public.a (
                    id serial NOT NULL,
                    "two words" text COLLATE "C" DEFAULT 'x'::text NOT NULL,
                    CONSTRAINT a_pkey PRIMARY KEY (id),
                    CONSTRAINT a_id_check CHECK ((id > 0))
                );

                CREATE TABLE public.b (
                    id bigserial NOT NULL,
                    a_id bigint,
                    n integer GENERATED ALWAYS AS IDENTITY (START WITH 5) NOT NULL,
                    CONSTRAINT b_pkey PRIMARY KEY (id)
                );

                COMMENT ON COLUMN public.b.n IS 'it''s';

                CREATE INDEX i ON public.a USING btree ("two words");

                ALTER TABLE public.b ADD CONSTRAINT b_a_id_fkey FOREIGN KEY (a_id) REFERENCES public.a(id);

                """)
    }

    @Test(
        arguments: [
            // Functions before and after tables, views on views, and dependencies between functions and views.
            """
            CREATE TABLE z (n int); CREATE FUNCTION a(z) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT ($1).n';
            CREATE TABLE y (n int DEFAULT 1, CHECK (n > 0)); CREATE INDEX y_i ON z (a(z)); CREATE VIEW c AS SELECT \
            a(z) FROM z;
            CREATE VIEW b AS SELECT * FROM c; CREATE FUNCTION d() RETURNS SETOF b BEGIN ATOMIC SELECT * FROM b; END;
            CREATE MATERIALIZED VIEW a_m AS SELECT * FROM d(); CREATE UNIQUE INDEX ON a_m (a)
            """,
            """
            CREATE FUNCTION next() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT max(n) FROM later); END';
            CREATE TABLE later (n int DEFAULT next(), m int GENERATED ALWAYS AS (n * 2) STORED)
            """,
            // Sequences with other options than those of bigserial.
            """
            CREATE TABLE t (id bigserial PRIMARY KEY, n smallserial); ALTER SEQUENCE t_id_seq INCREMENT 5 CACHE 10;
            ALTER TABLE t RENAME COLUMN n TO m; CREATE SEQUENCE s OWNED BY t.m; CREATE SEQUENCE lone AS int MAXVALUE 7 \
            CYCLE;
            ALTER TABLE t ADD k int DEFAULT nextval('lone'); COMMENT ON SEQUENCE t_id_seq IS 'counts'
            """,
            // Partitions with keys, foreign keys, triggers and indexes; inheritance.
            """
            CREATE TABLE o (id int PRIMARY KEY);
            CREATE TABLE p (id int, at date, o int REFERENCES o, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
            CREATE TABLE p_b PARTITION OF p DEFAULT; CREATE TABLE p_a PARTITION OF p FOR VALUES FROM ('2026-01-01') TO \
            ('2027-01-01')
            PARTITION BY HASH (id); CREATE TABLE p_a_0 PARTITION OF p_a FOR VALUES WITH (MODULUS 1, REMAINDER 0);
            CREATE INDEX p_o ON p (o); ALTER TABLE p ADD CHECK (id > 0); ALTER TABLE o ADD UNIQUE (id);
            CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE TRIGGER g AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();
            CREATE TABLE up (a int NOT NULL CHECK (a > 0)); CREATE TABLE down (b int CHECK (b > 0)) INHERITS (up)
            """,
            // Types that depend on types.
            """
            CREATE DOMAIN short AS varchar(9) COLLATE "C" DEFAULT 'a' NOT NULL CONSTRAINT filled CHECK (VALUE <> '');
            COMMENT ON CONSTRAINT filled ON DOMAIN short IS 'not empty'; CREATE TYPE a AS (s short, n numeric(5, 2));
            CREATE TYPE b AS (a a[]); CREATE DOMAIN c AS b CHECK ((VALUE).a IS NOT NULL); COMMENT ON TYPE b IS 'b';
            CREATE TYPE span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi); CREATE TABLE t (c c, s span[]);
            ALTER DOMAIN short ADD CONSTRAINT later CHECK (VALUE <> 'b') NOT VALID;
            CREATE COLLATION de (PROVIDER = icu, LOCALE = 'de', DETERMINISTIC = false)
            """,
            // Non-default table options.
            """
            CREATE UNLOGGED TABLE t (id int, v text, CONSTRAINT k PRIMARY KEY (id) DEFERRABLE) WITH (fillfactor = 70);
            ALTER TABLE t ALTER v SET STORAGE EXTERNAL, ALTER v SET STATISTICS 7, ALTER v SET (n_distinct = 5),
            ADD CONSTRAINT c CHECK (id > 0) NOT VALID, ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, CLUSTER ON \
            k;
            CREATE POLICY p ON t AS RESTRICTIVE FOR UPDATE TO pg_monitor, CURRENT_USER USING (id > 1) WITH CHECK (id > \
            2);
            CREATE UNIQUE INDEX i ON t (id); CREATE TABLE u (id int NOT NULL UNIQUE); ALTER TABLE u REPLICA IDENTITY \
            USING INDEX u_id_key;
            CREATE STATISTICS s ON id, v FROM t; CREATE TABLE nothing (); CREATE RULE r AS ON UPDATE TO t DO NOTHING;
            ALTER TABLE t DISABLE RULE r; COMMENT ON RULE r ON t IS 'never'; COMMENT ON POLICY p ON t IS 'p';
            CREATE VIEW w WITH (security_barrier) AS SELECT id FROM u WHERE id > 0 WITH LOCAL CHECK OPTION;
            ALTER VIEW w ALTER id SET DEFAULT 3; CREATE MATERIALIZED VIEW m AS SELECT 1 AS n WITH NO DATA
            """,
            // Constraint triggers, whose constraint belongs to both the trigger and the table.
            """
            CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TABLE a1 (id int);
            CREATE CONSTRAINT TRIGGER ctr AFTER INSERT ON a1 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE \
            FUNCTION f()
            """,
            // Properties of statistics and extensions that need an ALTER.
            """
            CREATE TABLE t (a int, b int); CREATE STATISTICS s ON a, b FROM t; ALTER STATISTICS s SET STATISTICS 9;
            CREATE INDEX i ON t ((a + b)); ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 8; CREATE EXTENSION pg_trgm;
            CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f();
            ALTER FUNCTION f() DEPENDS ON EXTENSION pg_trgm; ALTER TRIGGER g ON t DEPENDS ON EXTENSION pg_trgm;
            ALTER INDEX i DEPENDS ON EXTENSION pg_trgm; COMMENT ON EXTENSION pg_trgm IS 'ours'
            """,
            "CREATE EXTENSION pg_trgm; COMMENT ON EXTENSION pg_trgm IS NULL",
            // Privileges.
            """
            CREATE SCHEMA s; CREATE TABLE s.t (a int, b int); CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS \
            'SELECT 1';
            CREATE TYPE e AS ENUM ('x'); GRANT USAGE ON SCHEMA s TO PUBLIC; GRANT SELECT, UPDATE ON s.t TO pg_monitor \
            WITH GRANT OPTION;
            GRANT UPDATE (b) ON s.t TO PUBLIC; REVOKE ALL ON FUNCTION s.f() FROM PUBLIC; REVOKE USAGE ON TYPE e FROM \
            PUBLIC;
            REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT CREATE ON SCHEMA public TO pg_monitor;
            CREATE TABLE n (id bigserial); GRANT USAGE ON SEQUENCE n_id_seq TO PUBLIC
            """,
        ])
    func `psql recreates the same schema from the file`(sql: String) throws { try expectSame(text(sql)) }

    @Test func `a table whose name begins like that of an own table is written, and the own tables are not`() throws {
        #expect(
            try database.migrate([("CREATE TABLE migration_history_archive (id bigserial PRIMARY KEY);", "")]) == nil)
        let written = try text("SELECT 1")
        #expect(written.contains("CREATE TABLE public.migration_history_archive"))
        #expect(written.contains("migration_history_archive_pkey") && !written.contains("alembic_version"))
        #expect(!written.contains("migration_history_id_seq") && !written.contains("migration_revision"))
    }

    @Test func `unsupported objects are listed, and so are circular dependencies`() throws {
        func failure(_ sql: String) -> String? {
            #expect(throws: MigrationFailed.self) { try text(sql) }?.description
        }
        #expect(
            failure(
                "CREATE CAST (int AS point) WITH INOUT; CREATE PUBLICATION p; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"
            )
                == "the schema contains unsupported objects: cast from integer to point, default privileges on new relations belonging "
                + "to role postgres, publication p")
        try database.sql(
            "DROP CAST (int AS point); DROP PUBLICATION p; ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC"
        )
        #expect(
            failure(
                "CREATE TABLE t (n int); CREATE FUNCTION f(t) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT ($1).n'; "
                    + "ALTER TABLE t ADD CHECK (f(t) > 0); CREATE VIEW v AS SELECT * FROM t; CREATE TABLE u (n int)")
                == "these objects have cyclic dependencies, which is not supported: public.f(public.t), public.t")
    }

    @Test func `tables of another owner are refused`() throws {
        let role = "owner_\(UInt32.random(in: 0...UInt32.max))"
        let error = #expect(throws: MigrationFailed.self) {
            try text("CREATE ROLE \(role); CREATE TABLE t (n int); ALTER TABLE t OWNER TO \(role)")
        }
        #expect(error?.description == "t belongs to \(role): run it as that role")
    }

    @Test func `two scripts are compared line by line`() {
        #expect(SchemaFile.difference(of: "a\nb\n", from: "a\nb\n") == nil)
        #expect(SchemaFile.difference(of: "a\nc\nd\n", from: "a\nb\nd\n") == "2: - b\n2: + c")
    }
}

extension TestDatabase {
    func inventory() throws -> Inventory {
        let configuration = directConfiguration()
        return try Loop.run { try await Inventory(reading: configuration) }
    }

    /// The lines of pg_dump's schema dump, without the migrator's own tables. They are sorted, since their order partly
    /// depends on OIDs.
    fileprivate func schemaDump() throws -> [String] {
        let (status, output) = try runToEnd(
            ["pg_dump", "-s", "-T", "alembic_version", "-T", "migration_*"], environment: psqlEnvironment)
        guard status == 0 else { throw CommandFailed(description: output) }
        return output.split(separator: "\n").map { String($0.drop { $0 == " " }.trimmingSuffix { $0 == "," }) }
            .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }.sorted()
    }
}

extension Substring {
    fileprivate func trimmingSuffix(_ condition: (Character) -> Bool) -> Substring {
        self[..<(lastIndex { !condition($0) }.map(index(after:)) ?? startIndex)]
    }
}
