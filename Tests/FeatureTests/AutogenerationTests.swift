import EventLoop
import Postgres
import SQL
import TestSupport
import Testing

@testable import Migrations

/// Revisions that are generated from the differences of two schemas, each tested in both directions.
@Suite struct AutogenerationTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    /// Generates a revision from one schema to another, tests both directions, and returns the upgrade.
    @discardableResult
    private func upgrade(from old: String, to new: String) throws -> String {
        try SchemaTrial.run(in: database) { trial in
            let wanted = try await trial.catalog("wanted", new)
            let actual = try await trial.catalog("actual", old)
            #expect(try await trial.problem(from: actual, to: wanted) == nil)
            return Differences(actual: actual, wanted: wanted).changes.sections.upgrade
        }
    }

    @Test func `an index is dropped before its column is`() throws {
        let upgrade = try upgrade(
            from: "CREATE TABLE one (id bigint PRIMARY KEY, n int, m int); CREATE INDEX one_n_m ON one (n, m)",
            to: "CREATE TABLE one (id bigint PRIMARY KEY, m int)")
        #expect(
            upgrade == """
                -- outside transaction
                DROP INDEX CONCURRENTLY one_n_m;

                -- inside transaction
                -- data loss: all values of one.n
                ALTER TABLE one DROP COLUMN n;
                """)
    }

    @Test func `a partitioned table without a model is left alone`() throws {
        try database.sql("CREATE TABLE parted (id int) PARTITION BY RANGE (id)")
        let configuration = database.directConfiguration()
        let catalogs = try Loop.run { try await Catalog.compared(Metadata(tables: []), configuration) }
        #expect(catalogs.actual == catalogs.wanted)
    }

    @Test func `the partitions of a table are no tables of their own`() throws {
        let table = "CREATE TABLE one (id bigint PRIMARY KEY, n int DEFAULT 1) PARTITION BY RANGE (id)"
        let partition = "CREATE TABLE one_1 PARTITION OF one FOR VALUES FROM (0) TO (9)"
        #expect(try upgrade(from: "\(table); \(partition); CREATE INDEX ON one_1 (n)", to: table).isEmpty)
    }

    private static let recordingFunction =
        "CREATE FUNCTION public.record_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"

    @Test func `a trigger that records changes is created with its table or alone, and dropped`() throws {
        try database.sql(Self.recordingFunction)
        let table = "CREATE TABLE one (id bigint PRIMARY KEY)"
        let trigger = RecordingTrigger(of: "one", key: "id").creation(on: "one")
        #expect(try upgrade(from: "", to: "\(table); \(trigger)").hasSuffix(trigger + ";"))
        #expect(try upgrade(from: table, to: "\(table); \(trigger)") == trigger + ";")
        #expect(
            try upgrade(from: "\(table); \(trigger)", to: table) == "DROP TRIGGER one_record_change ON one;")
    }

    @Test func `a renamed table whose changes are recorded keeps its records, and gets a trigger of its new name`()
        throws
    {
        try database.sql(Self.recordingFunction + "; CREATE TABLE public.change_record (table_name text)")
        func recorded(_ table: String, trigger: String? = nil) -> String {
            let name = (trigger ?? table) + "_record_change"
            return "CREATE TABLE \(table) (id bigint PRIMARY KEY); "
                + RecordingTrigger(name: name, key: "id").creation(on: table)
        }
        let upgrade = try upgrade(from: recorded("one"), to: recorded("two"))
        for statement in [
            "UPDATE change_record SET table_name = 'two' WHERE table_name = 'one';",
            "DROP TRIGGER one_record_change ON two;", "CREATE TRIGGER two_record_change AFTER INSERT",
        ] {
            #expect(upgrade.contains(statement))
        }
        // The order of the columns, which a table keeps from its revisions, does not matter.
        let columns = "id bigint PRIMARY KEY, n int, m text"
        let reordered = try self.upgrade(
            from: "CREATE TABLE one (\(columns))", to: "CREATE TABLE two (m text, n int, id bigint PRIMARY KEY)")
        #expect(reordered.hasSuffix("ALTER TABLE one RENAME TO two;"))
        // Renamed without the trigger, by hand.
        let repair = try self.upgrade(from: recorded("two", trigger: "one"), to: recorded("two"))
        #expect(repair.hasPrefix("DROP TRIGGER one_record_change ON two;"))
    }

    @Test func `the trigger of a table with a long name has a name that Postgres does not truncate`() throws {
        try database.sql(Self.recordingFunction)
        let name = String(repeating: "é", count: 30)
        let trigger = RecordingTrigger(of: name, key: "id")
        try database.sql(
            "CREATE TABLE \(quoted(name)) (id bigint PRIMARY KEY); \(trigger.creation(on: name)); "
                + trigger.removal(on: name))
        let catalogs = try SchemaTrial.run(in: database) { trial in
            let sql = "CREATE TABLE \(quoted(name)) (id bigint PRIMARY KEY); \(trigger.creation(on: name))"
            return try await trial.catalog("actual", sql)
        }
        #expect(catalogs.tables[name]?.recording == trigger)
    }

    @Test func `tables that reference others are dropped before them, and created after them`() throws {
        let tables = """
            CREATE TABLE b (id bigint PRIMARY KEY); CREATE TABLE c (id bigint PRIMARY KEY, b bigint REFERENCES b);
            CREATE TABLE a (id bigint PRIMARY KEY, c bigint REFERENCES c ON DELETE CASCADE, a bigint REFERENCES a)
            """
        let dropped = try upgrade(from: tables, to: "")
        #expect(dropped.matches(of: /DROP TABLE (\w)/).map(\.output.1) == ["a", "c", "b"])
        let added = try upgrade(from: "", to: tables)
        #expect(added.matches(of: /CREATE TABLE (\w)/).map(\.output.1) == ["b", "c", "a"])
        #expect(!added.contains("ALTER TABLE"))
    }

    @Test func `tables with circular references get their foreign keys last, and lose them first`()
        throws
    {
        let tables = """
            CREATE TABLE a (id bigint PRIMARY KEY, b bigint); CREATE TABLE b (id bigint PRIMARY KEY, c bigint);
            CREATE TABLE c (id bigint PRIMARY KEY, a bigint REFERENCES a);
            ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; ALTER TABLE b ADD FOREIGN KEY (c) REFERENCES c
            """
        #expect(try upgrade(from: tables, to: "").contains("ALTER TABLE a DROP CONSTRAINT"))
        #expect(try upgrade(from: "", to: tables).contains("ALTER TABLE a ADD CONSTRAINT"))
        try upgrade(from: tables, to: "CREATE TABLE b (id bigint PRIMARY KEY, c bigint)")
    }

    @Test func `a foreign key is dropped before the table that it references`() throws {
        let upgrade = try upgrade(
            from:
                "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY, a bigint REFERENCES a)",
            to: "CREATE TABLE b (id bigint PRIMARY KEY)")
        #expect(upgrade.hasPrefix("ALTER TABLE b DROP CONSTRAINT b_a_fkey;"))
    }

    @Test func `an identity column is restored by the downgrade`() throws {
        try upgrade(
            from: """
                CREATE TABLE one (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, o int NOT NULL,
                    m integer GENERATED BY DEFAULT AS IDENTITY (START WITH 7 INCREMENT BY 5 CYCLE));
                CREATE TABLE two (id smallint GENERATED BY DEFAULT AS IDENTITY)
                """, to: "CREATE TABLE one (id bigserial PRIMARY KEY, n int, o int GENERATED ALWAYS AS IDENTITY)")
    }

    @Test func `a column that becomes an identity continues after the existing values`() throws {
        let upgrade = try upgrade(
            from: "CREATE TABLE one (id int NOT NULL, n int NOT NULL)",
            to: "CREATE TABLE one (id serial, n int GENERATED ALWAYS AS IDENTITY)")
        try database.sql("CREATE TABLE one (id int NOT NULL, n int NOT NULL); INSERT INTO one VALUES (41, 7)")
        try database.sql(upgrade + "; INSERT INTO one DEFAULT VALUES")
        #expect(try database.sql("SELECT id || ' ' || n FROM one ORDER BY id DESC LIMIT 1") == "42 8")
    }

    @Test func `generated columns stay generated, and keep their indexes and constraints`() throws {
        let generated = "CREATE TABLE one (id int, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)"
        let upgrade = try upgrade(from: "CREATE TABLE one (id int, n int)", to: generated)
        #expect(upgrade == "ALTER TABLE one ADD COLUMN twice integer GENERATED ALWAYS AS (n * 2) STORED;")
        try self.upgrade(from: generated, to: "CREATE TABLE one (id int)")
        try self.upgrade(from: generated, to: "CREATE TABLE one (id int, n int, twice bigint NOT NULL DEFAULT 4)")
        try self.upgrade(from: "CREATE TABLE one (id int, n int, twice text NOT NULL DEFAULT '4')", to: generated)
        try self.upgrade(
            from: generated + "; CREATE UNIQUE INDEX twice ON one (twice); ALTER TABLE one ADD CHECK (twice > id)",
            to: """
                CREATE TABLE one (id int, n bigint, twice int GENERATED ALWAYS AS (n * 2) STORED CHECK (twice > id));
                CREATE UNIQUE INDEX twice ON one (twice)
                """)
    }

    @Test func `referenced keys and their types change together with their foreign keys`() throws {
        try upgrade(
            from: "CREATE TABLE a (id int PRIMARY KEY, n int); CREATE TABLE b (a int REFERENCES a)",
            to: "CREATE TABLE a (id text UNIQUE, n int PRIMARY KEY); CREATE TABLE b (a text REFERENCES a (id))")
        try upgrade(
            from: "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a)",
            to: "CREATE TABLE a (id int NOT NULL UNIQUE); CREATE TABLE b (a int REFERENCES a (id))")
    }

    @Test func `a default that does not fit the new type is dropped before the type changes`() throws {
        try upgrade(
            from: "CREATE TABLE a (n text DEFAULT 'x', m boolean DEFAULT true, o serial)",
            to: "CREATE TABLE a (n int DEFAULT 3, m bigint DEFAULT 4, o text NOT NULL)")
    }

    @Test func `a renamed table keeps its rows and the references to it`() throws {
        let upgrade = try upgrade(
            from: """
                CREATE TABLE a (id serial PRIMARY KEY, "A b" int CHECK ("A b" > 0)); CREATE TABLE b (a int REFERENCES \
                a);
                CREATE INDEX i ON a ("A b") WHERE "A b" > 1
                """,
            to: """
                CREATE TABLE c (id serial PRIMARY KEY, "A b" int CHECK ("A b" > 0)); CREATE TABLE b (a int REFERENCES \
                c);
                CREATE INDEX i ON c ("A b") WHERE "A b" > 1
                """)
        #expect(upgrade.hasSuffix("ALTER TABLE a RENAME TO c;"))
        let renamed = try self.upgrade(
            from: "CREATE TABLE a (id int PRIMARY KEY, n text CHECK (n <> 'n')); CREATE TABLE b (a int REFERENCES a)",
            to: "CREATE TABLE a (key int PRIMARY KEY, n text CHECK (n <> 'n')); CREATE TABLE b (a int REFERENCES a)")
        #expect(renamed.hasSuffix("ALTER TABLE a RENAME COLUMN id TO key;"))
    }

    // MARK: Names

    @Test(arguments: ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}\n\u{c}\n"])
    func `a line break in a name does not end a comment`(end: String) throws {
        let name = "\"x\(end)ALTER ROLE evil SUPERUSER; --\""
        let table = "CREATE TABLE \(name) (id int); CREATE TABLE b (\(name) bigint PRIMARY KEY)"
        let rest = "CREATE TABLE b (\(name) bigint PRIMARY KEY, m int, t uuid DEFAULT gen_random_uuid())"
        for (old, new) in [
            (table, "CREATE TABLE b (id bigint PRIMARY KEY, m int, o int)"), (table, rest), ("", table),
            (rest, "CREATE TABLE b (id bigint, n int)"),
        ] {
            let upgrade = try upgrade(from: old, to: new)
            let parsed = try revision("a1", "", upgrade)
            #expect(parsed.problem == nil)
            #expect(!parsed.upgrade.statements.contains { $0.sql.hasPrefix("ALTER ROLE") }, "\(upgrade)")
        }
    }

    // MARK: Replaced keys and indexes

    /// Generates an upgrade from one schema to another, runs the upgrade, and returns its text. Checks after each
    /// transaction that the table `b` has a valid unique index, so that no duplicates can be inserted.
    private func uniqueUpgrade(from old: String, to new: String) throws -> String {
        let upgrade = try upgrade(from: old, to: new)
        let statements = try revision("a1", "", upgrade).upgrade.segments
        try database.sql("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept; SET search_path = kept; \(old)")
        for segment in statements {
            for statement in segment { try database.psql("SET search_path = kept; \(statement.sql);") }
            let count =
                "SELECT count(*) > 0 FROM pg_index WHERE indrelid = 'kept.b'::regclass AND indisunique AND indisvalid"
            #expect(try database.sql(count) == "t", "\(upgrade)")
        }
        return upgrade
    }

    @Test func `an index that differs only in its name is renamed`() throws {
        let upgrade = try uniqueUpgrade(
            from: "CREATE TABLE b (n int); CREATE UNIQUE INDEX one ON b (n)",
            to: "CREATE TABLE b (n int); CREATE UNIQUE INDEX two ON b (n)")
        #expect(upgrade == "ALTER INDEX one RENAME TO two;")
    }

    @Test func `an index that changes but keeps its name is built before the old one is dropped`() throws {
        let upgrade = try uniqueUpgrade(
            from: "CREATE TABLE b (n int); CREATE UNIQUE INDEX one ON b (n)",
            to: "CREATE TABLE b (n int); CREATE UNIQUE INDEX one ON b (n DESC)")
        #expect(
            upgrade == """
                -- outside transaction
                CREATE UNIQUE INDEX CONCURRENTLY one_aktify_new ON b USING btree (n DESC);

                -- inside transaction
                ALTER INDEX one RENAME TO one_aktify_old;
                ALTER INDEX one_aktify_new RENAME TO one;

                -- outside transaction
                DROP INDEX CONCURRENTLY one_aktify_old;
                """)
    }

    @Test func `an index left over from an earlier replacement keeps its name`() throws {
        let left = "CREATE INDEX one_aktify_new ON b (m); CREATE INDEX one_aktify_old ON b (m, n)"
        let upgrade = try uniqueUpgrade(
            from: "CREATE TABLE b (n int, m int); CREATE UNIQUE INDEX one ON b (n); \(left)",
            to: "CREATE TABLE b (n int, m int); CREATE UNIQUE INDEX one ON b (n DESC); \(left)")
        #expect(upgrade.contains("one_aktify_new2 ON b") && upgrade.hasSuffix("CONCURRENTLY one_aktify_old2;"))
    }

    @Test func `a key that changes is replaced in one transaction, with its index built beforehand`() throws {
        let upgrade = try uniqueUpgrade(
            from: "CREATE TABLE b (n int, CONSTRAINT one UNIQUE (n))",
            to: "CREATE TABLE b (n int, CONSTRAINT one UNIQUE (n) DEFERRABLE)")
        #expect(
            upgrade == """
                -- outside transaction
                CREATE UNIQUE INDEX CONCURRENTLY one_aktify_new ON b (n);

                -- inside transaction
                ALTER TABLE b DROP CONSTRAINT one;
                ALTER TABLE b ADD CONSTRAINT one UNIQUE USING INDEX one_aktify_new DEFERRABLE;
                """)
    }

    @Test(arguments: [
        ("n int, CONSTRAINT one UNIQUE (n)", "n int); CREATE UNIQUE INDEX two ON b (n"),
        ("n int); CREATE UNIQUE INDEX two ON b (n", "n int, CONSTRAINT one UNIQUE (n)"),
        ("n int UNIQUE", "n int PRIMARY KEY"), ("n int PRIMARY KEY", "n int UNIQUE"),
        ("n int PRIMARY KEY", "n int PRIMARY KEY DEFERRABLE"),
        ("n int, CONSTRAINT one UNIQUE (n)", "n int, m int, CONSTRAINT one UNIQUE (n, m)"),
        ("n int, m int, CONSTRAINT one UNIQUE (n, m)", "n int, CONSTRAINT one UNIQUE (n)"),
        ("n int, m int NOT NULL, PRIMARY KEY (n)", "n int, m int NOT NULL, PRIMARY KEY (n, m)"),
    ]) func `uniqueness is enforced at every point in time`(old: String, new: String) throws {
        _ = try uniqueUpgrade(from: "CREATE TABLE b (\(old))", to: "CREATE TABLE b (\(new))")
    }

    @Test func `a referenced key is replaced, and its foreign key is restored`() throws {
        _ = try uniqueUpgrade(
            from: "CREATE TABLE b (n int CONSTRAINT one UNIQUE); CREATE TABLE a (n int REFERENCES b (n))",
            to: "CREATE TABLE b (n int); CREATE UNIQUE INDEX two ON b (n); CREATE TABLE a (n int REFERENCES b (n))")
    }

    // MARK: Lint

    @Test(arguments: [
        ("varchar(100)", "varchar(255)"), ("varchar(100)", "varchar"), ("varchar(100)", "text"), ("text", "varchar"),
        ("numeric(10,2)", "numeric(12,2)"), ("numeric(10,2)", "numeric"),
    ]) func `a type change without a rewrite is allowed in the file, and rewrites no rows`(old: String, new: String)
        throws
    {
        let upgrade = try upgrade(from: "CREATE TABLE b (n \(old))", to: "CREATE TABLE b (n \(new))")
        #expect(Lint.findings(in: try revision("a1", "", upgrade)).isEmpty)
        try database.sql("CREATE TABLE b (n \(old)); INSERT INTO b VALUES ('1')")
        let file = try database.sql("SELECT pg_relation_filenode('b')")
        try database.sql(upgrade)
        #expect(try database.sql("SELECT pg_relation_filenode('b')") == file)
    }

    @Test(arguments: [("varchar(255)", "varchar(100)"), ("numeric(10,2)", "numeric(12,4)"), ("int", "bigint")])
    func `a type change that rewrites or scans rows is reported by lint`(old: String, new: String) throws {
        let upgrade = try upgrade(from: "CREATE TABLE b (n \(old))", to: "CREATE TABLE b (n \(new))")
        #expect(Lint.findings(in: try revision("a1", "", upgrade)).map(\.rule) == ["changing-type"])
    }

    @Test func `a detected rename is allowed in the file`() throws {
        for new in ["CREATE TABLE a (n int)", "CREATE TABLE b (m int)"] {
            let upgrade = try upgrade(from: "CREATE TABLE b (n int)", to: new)
            #expect(upgrade.contains(" RENAME "))
            #expect(Lint.findings(in: try revision("a1", "", upgrade)).isEmpty)
        }
    }

    @Test func `a new constraint gets another name if its own is used by one that is kept`() throws {
        try upgrade(
            from: "CREATE TABLE a (n int, CONSTRAINT a_n_check CHECK (n > 0))",
            to: "CREATE TABLE a (n int, CONSTRAINT a_n_check CHECK (n > 1), CONSTRAINT a_n_check1 CHECK (n > 0))")
    }
}
