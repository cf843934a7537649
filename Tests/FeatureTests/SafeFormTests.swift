import EventLoop
import Postgres
import TestSupport
import Testing

@testable import Migrations

/// Generated statements have the safe form, which changes a table in use without blocking its writers for long.
@Suite struct SafeFormTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    /// Generates the upgrade and the downgrade between two schemas, and runs both with the rows that `rows` inserts.
    private func sections(
        from old: String, to new: String, rows: String, reported rules: [String] = []
    ) throws -> (upgrade: String, downgrade: String) {
        let sections = try SchemaTrial.run(in: database) { trial in
            let wanted = try await trial.catalog("wanted", new)
            let actual = try await trial.catalog("actual", "\(old); \(rows)")
            #expect(try await trial.problem(from: actual, to: wanted) == nil)
            return Differences(actual: actual, wanted: wanted).changes.sections
        }
        let findings = Lint.findings(in: try revision("a1", "", sections.upgrade))
        #expect(findings.map(\.rule) == rules)
        return sections
    }

    @Test func `constraints and indexes are added without blocking writers, in as few transactions as possible`()
        throws
    {
        let (upgrade, downgrade) = try sections(
            from: "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id bigint, a bigint, n int)",
            to: """
                CREATE TABLE a (id bigint PRIMARY KEY);
                CREATE TABLE b (id bigint, a bigint REFERENCES a, n int CHECK (n > 0), UNIQUE (id, n) DEFERRABLE);
                CREATE INDEX b_n ON b (n)
                """, rows: "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1, 1)")
        #expect(
            upgrade == """
                ALTER TABLE b ADD CONSTRAINT b_n_check CHECK (n > 0) NOT VALID;

                -- outside transaction
                CREATE UNIQUE INDEX CONCURRENTLY b_id_n_key ON b (id, n);

                ALTER TABLE b VALIDATE CONSTRAINT b_n_check;

                CREATE INDEX CONCURRENTLY b_n ON b USING btree (n);

                -- inside transaction
                ALTER TABLE b ADD CONSTRAINT b_id_n_key UNIQUE USING INDEX b_id_n_key DEFERRABLE;

                ALTER TABLE b ADD CONSTRAINT b_a_fkey FOREIGN KEY (a) REFERENCES a(id) NOT VALID;

                -- outside transaction
                ALTER TABLE b VALIDATE CONSTRAINT b_a_fkey;
                """)
        #expect(
            downgrade == """
                ALTER TABLE b DROP CONSTRAINT b_a_fkey;

                ALTER TABLE b DROP CONSTRAINT b_n_check;

                ALTER TABLE b DROP CONSTRAINT b_id_n_key;

                -- outside transaction
                DROP INDEX CONCURRENTLY b_n;
                """)
    }

    @Test func `a column becomes a primary key after a constraint has proved that it has no NULL`() throws {
        let upgrade = try sections(
            from: "CREATE TABLE b (id bigint)", to: "CREATE TABLE b (id bigint PRIMARY KEY)",
            rows: "INSERT INTO b VALUES (1)"
        ).upgrade
        #expect(
            upgrade == """
                ALTER TABLE b ADD CONSTRAINT id_is_not_null CHECK (id IS NOT NULL) NOT VALID;

                -- outside transaction
                ALTER TABLE b VALIDATE CONSTRAINT id_is_not_null;

                -- inside transaction
                ALTER TABLE b ALTER COLUMN id SET NOT NULL;
                ALTER TABLE b DROP CONSTRAINT id_is_not_null;

                -- outside transaction
                CREATE UNIQUE INDEX CONCURRENTLY b_pkey ON b (id);

                -- inside transaction
                ALTER TABLE b ADD CONSTRAINT b_pkey PRIMARY KEY USING INDEX b_pkey;
                """)
    }

    @Test func `keys and checks of every kind are added, and restored`() throws {
        let old = "CREATE TABLE b (id int NOT NULL, n int, m int NOT NULL)"
        let new = """
            CREATE TABLE b (id int NOT NULL, n int, m int NOT NULL, "A)b" int DEFAULT 1, UNIQUE NULLS NOT DISTINCT (n) \
            INCLUDE (m),
                PRIMARY KEY (id, m) INCLUDE (n) DEFERRABLE INITIALLY DEFERRED, UNIQUE (n, m) WITH (fillfactor = 50),
                CHECK (m <> 5) NO INHERIT, CHECK (n IS NOT NULL OR m > 3), UNIQUE ("A)b", id))
            """
        let rows = "INSERT INTO b VALUES (1, NULL, 4), (2, 2, 3)"
        #expect(try sections(from: old, to: new, rows: rows).upgrade.contains("NULLS NOT DISTINCT"))
        #expect(try sections(from: new, to: old, rows: rows).downgrade.contains("NULLS NOT DISTINCT"))
    }

    @Test func `rows get a volatile default in batches before the column becomes NOT NULL`() throws {
        let upgrade = try sections(
            from: "CREATE TABLE b (id bigint PRIMARY KEY)",
            to: """
                CREATE TABLE b (id bigint PRIMARY KEY, token uuid NOT NULL DEFAULT gen_random_uuid(),
                    text text NOT NULL GENERATED ALWAYS AS (token::text) STORED, at timestamptz NOT NULL DEFAULT now())
                """, rows: "INSERT INTO b VALUES (1), (2)", reported: ["rewriting-table"]
        ).upgrade
        #expect(
            upgrade == """
                ALTER TABLE b ADD COLUMN token uuid;
                ALTER TABLE b ALTER COLUMN token SET DEFAULT gen_random_uuid();

                ALTER TABLE b ADD COLUMN at timestamp with time zone DEFAULT now() NOT NULL;

                -- outside transaction
                -- batches of 5000 by id
                UPDATE b SET token = DEFAULT WHERE token IS NULL;

                -- inside transaction
                ALTER TABLE b ADD CONSTRAINT token_is_not_null CHECK (token IS NOT NULL) NOT VALID;

                -- outside transaction
                ALTER TABLE b VALIDATE CONSTRAINT token_is_not_null;

                -- inside transaction
                ALTER TABLE b ALTER COLUMN token SET NOT NULL;
                ALTER TABLE b DROP CONSTRAINT token_is_not_null;

                ALTER TABLE b ADD COLUMN text text GENERATED ALWAYS AS (token::text) STORED NOT NULL;
                """)
        #expect(try database.sql("SELECT count(DISTINCT token) FROM actual.b") == "2")
    }

    @Test func `without a single-column key, all rows are updated in one statement`() throws {
        let upgrade = try sections(
            from: "CREATE TABLE b (id bigint, n int, PRIMARY KEY (id, n))",
            to: "CREATE TABLE b (id bigint, n int, token float DEFAULT random(), PRIMARY KEY (id, n))",
            rows: "INSERT INTO b VALUES (1, 1)"
        ).upgrade
        #expect(upgrade.hasSuffix("-- outside transaction\nUPDATE b SET token = DEFAULT WHERE token IS NULL;"))
    }

    @Test func `tables that the same revision creates or drops need no safe forms`() throws {
        let (upgrade, downgrade) = try sections(
            from: "CREATE TABLE a (id bigint PRIMARY KEY)",
            to: """
                CREATE TABLE a (id bigint PRIMARY KEY);
                CREATE TABLE b (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), a bigint REFERENCES a CHECK (a > 0));
                CREATE INDEX b_a ON b (a)
                """, rows: "SELECT 1")
        #expect(!upgrade.contains("transaction") && !downgrade.contains("transaction"))
    }

    @Test func `a partitioned table gets indexes and foreign keys in the direct form, as Postgres requires`() throws {
        let old = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int, a int) PARTITION BY RANGE (id)"
        let new = """
            CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int NOT NULL UNIQUE, a int REFERENCES a);
            CREATE INDEX b_a ON b (a)
            """
        let sections = try SchemaTrial.run(in: database) { trial in
            let wanted = try await trial.catalog("wanted", new)
            let actual = try await trial.catalog("actual", old)
            #expect(try await trial.problem(from: actual, to: wanted) == nil)
            return Differences(actual: actual, wanted: wanted).changes.sections
        }
        #expect(
            !sections.upgrade.contains("CONCURRENTLY")
                && sections.upgrade.contains("VALIDATE CONSTRAINT id_is_not_null"))
    }

    @Test func `a migrator applies and reverts the safe forms`() throws {
        try database.sql("CREATE TABLE b (id bigint PRIMARY KEY, n int); INSERT INTO b VALUES (1, 1)")
        let new =
            "CREATE TABLE b (id bigint PRIMARY KEY, n int NOT NULL UNIQUE, t uuid NOT NULL DEFAULT gen_random_uuid())"
        let before = try SchemaTrial.run(in: database) { _ in try await Catalog(reading: database.directConfiguration())
        }
        let wanted = try SchemaTrial.run(in: database) { try await $0.catalog("wanted", new) }
        let sections = Differences(actual: before, wanted: wanted).changes.sections
        #expect(try database.migrate([(sections.upgrade, sections.downgrade)]) == nil)
        let after = try SchemaTrial.run(in: database) { _ in try await Catalog(reading: database.directConfiguration())
        }
        #expect(after.meaning == wanted.meaning)
        var options = Migrator.Options()
        options.allowsDataLoss = true
        let failure = try database.migrate([(sections.upgrade, sections.downgrade)], options) {
            try await $0.downgrade()
        }
        #expect(failure == nil)
        let back = try SchemaTrial.run(in: database) { _ in try await Catalog(reading: database.directConfiguration()) }
        #expect(back.unordered == before.unordered)
    }

    // MARK: Writers

    /// Schema changes without CONCURRENTLY or NOT VALID, from which the safe forms are generated.
    private static let changes = [
        "CREATE INDEX big_n ON big (n)", "CREATE UNIQUE INDEX big_kind_code ON big (kind, code)",
        "ALTER TABLE big ADD UNIQUE (code)", "ALTER TABLE big ADD FOREIGN KEY (kind) REFERENCES kind",
        "ALTER TABLE big ADD CHECK (n >= 0)", "ALTER TABLE big ALTER n SET NOT NULL",
        "ALTER TABLE big ADD state text NOT NULL DEFAULT 'new'", "DROP INDEX big_old", "ALTER TABLE big DROP old",
    ]

    private func expectNoWaiting(_ changes: [String]) throws {
        try TableInUse.run(in: database) { table in
            for change in changes {
                let start = Instant.now
                let writes = try await table.change(change)
                print(
                    "\(writes.longest.milliseconds) ms: longest of \(writes.count) writes in "
                        + "\(Instant.now.duration(since: start).milliseconds) ms: \(change)")
                #expect(writes.longest < .seconds(1) && writes.count > 0, "\(change)")
                // As the plan predicted, statements that block writers are short, whatever the size of the table.
                #expect(writes.plan.problem == nil && writes.plan.statements.count > 0)
                let awaited = writes.plan.statements.filter { ($0.waiting ?? .schemaChanges) > .schemaChanges }
                #expect(awaited.allSatisfy { $0.duration == nil }, "\(writes.plan.text)")
                #expect(
                    writes.plan.revisions.flatMap(\.holds).allSatisfy { $0.duration == .zero }, "\(writes.plan.text)")
            }
            #expect(try await table.difference().isEmpty)
            #expect(try await table.lock(for: .milliseconds(1200)) > .seconds(1), "a longer wait is noticed")
        }
    }

    @Test func `no writer waits for a second while a table of a million rows changes`() throws {
        try expectNoWaiting(Self.changes)
    }

    @Test func `no writer waits for a second while a million rows get a default`() throws {
        try expectNoWaiting(["ALTER TABLE big ADD token uuid NOT NULL DEFAULT gen_random_uuid()"])
    }
}
