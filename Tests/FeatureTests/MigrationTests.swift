import EventLoop
import Foundation
import ORM
import Postgres
import SQL
import TestSupport
import Testing

@testable import AktifyAPI
@testable import Migrations

@Suite struct MigrationTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func shipped() throws -> RevisionGraph { try ScriptDirectory("\(checkout)/migrations").graph() }

    /// The head of the shipped revisions.
    private var head: String { get throws { try #require(try shipped().heads.first?.id) } }

    private func upgrade(_ graph: RevisionGraph) throws {
        let migrator = Migrator(graph: graph, configuration: database.directConfiguration()) { _ in }
        try Loop.run { try await migrator.upgrade() }
    }

    @Test func `an empty database is brought to the head, once`() throws {
        try upgrade(try shipped())
        try upgrade(try shipped())
        #expect(try database.sql("SELECT string_agg(version_num, ',') FROM alembic_version") == head)
        #expect(try database.sql("SELECT pg_typeof(id) FROM campaign UNION SELECT 'bigint'::regtype") == "bigint")
        #expect(try database.sql("SELECT count(*) FROM campaign") == "0")
    }

    @Test func `applied revisions are recorded with what they break, also those that another tool has applied`() throws
    {
        let rows = "SELECT string_agg(revision || ':' || breaking, ',' ORDER BY revision) FROM migration_revision"
        let graph = try RevisionGraph([
            try revision("a1", "", "SELECT 1;"), try revision("b2", "a1", "-- breaking: it's gone\nSELECT 1;"),
            try revision("c3", "b2", "SELECT 1;"),
        ])
        try database.sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('a1')"
        )
        try run(graph) { try await $0.upgrade(to: "b2") }
        #expect(try database.sql(rows) == "a1:,b2:it's gone")
        try run(graph) { try await $0.upgrade() }
        #expect(try database.sql(rows) == "a1:,b2:it's gone,c3:")
        try run(graph) { try await $0.downgrade(to: "a1") }
        #expect(try database.sql(rows) == "a1:")
        try run(graph) { try await $0.stamp("b2") }
        #expect(try database.sql(rows) == "a1:,b2:it's gone")
        try run(graph) { try await $0.downgrade(to: "base") }
        #expect(try database.sql("SELECT count(*) FROM migration_revision") == "0")
    }

    @Test func `the readiness check runs one query when the schema is at the head, and reports an empty database`()
        throws
    {
        let (configuration, graph) = (database.directConfiguration(), try shipped())
        let schema = SchemaCheck(heads: Set(graph.heads.map(\.id)), revisions: Set(graph.revisions.map(\.id)))
        let reason = try Loop.run { () -> String? in
            do { try await HealthService(Database(configuration), schema: schema).check() } catch { return "\(error)" }
            return nil
        }
        #expect(reason == "the database's schema is at base, behind \(graph.heads[0].id): run aktify db upgrade")
        try upgrade(graph)
        try Loop.run {
            let health = HealthService(Database(configuration), schema: schema)
            try await expectQueries(1) { try await health.check() }
        }
    }

    @Test func `a database of the original application is upgraded, with its rows`() throws {
        try database.sql(
            """
            CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY \
            (version_num));
            INSERT INTO alembic_version VALUES ('6c369edd2a4c');
            CREATE TABLE campaign (id SERIAL NOT NULL, name VARCHAR(255) NOT NULL, created_on TIMESTAMP DEFAULT now() \
            NOT NULL,
                updated_on TIMESTAMP DEFAULT now() NOT NULL, PRIMARY KEY (id));
            INSERT INTO campaign (name) VALUES ('Campaign 1'), ('Campaign 2'), ('Campaign 3');
            """)
        try upgrade(try shipped())
        #expect(try database.sql("SELECT version_num FROM alembic_version") == head)
        #expect(
            try database.sql("SELECT string_agg(id || name || description || is_active, ',' ORDER BY id) FROM campaign")
                == "1Campaign 1true,2Campaign 2true,3Campaign 3true")
    }

    @Test func `each downgrade reverts its upgrade, and one that does not is reported`() throws {
        #expect(try problems(try shipped()).isEmpty)
        let empty = try RevisionGraph([
            try revision("a1", "", "CREATE TABLE one (n int);", "DROP TABLE one;"),
            try revision("b2", "a1", "ALTER TABLE one ADD m int;", ""),
        ])
        #expect(try problems(empty).first?.hasPrefix("versions/b2.sql: its downgrade does not revert") == true)
    }

    private func problems(_ graph: RevisionGraph) throws -> [String] {
        let verifier = Verifier(graph: graph, configuration: database.directConfiguration()) { _ in }
        return try Loop.run { try await verifier.problems() }
    }

    private func run(
        _ graph: RevisionGraph, _ options: Migrator.Options = .init(),
        _ body: @escaping @Sendable (Migrator) async throws -> Void
    ) throws {
        let migrator = Migrator(graph: graph, configuration: database.directConfiguration(), options: options) { _ in }
        try Loop.run { try await body(migrator) }
    }

    private func failure(_ graph: RevisionGraph, _ options: Migrator.Options = .init()) -> String {
        do { try run(graph, options) { try await $0.upgrade() } } catch { return "\(error)" }
        return "no failure"
    }

    @Test func `concurrent upgrades run each revision once`() throws {
        let graph = try shipped()
        let configuration = database.directConfiguration()
        let lines = Lines()
        try Loop.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await Migrator(graph: graph, configuration: configuration) { lines.add($0) }.upgrade()
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(
            lines.all.filter { $0.hasPrefix("Running") }
                == graph.revisions.map {
                    "Running upgrade \($0.parents.joined(separator: ", ")) -> \($0.id), \($0.message)"
                })
        #expect(
            try database.sql("SELECT count(*) || ' ' || count(DISTINCT revision) FROM migration_history")
                == "\(graph.revisions.count) \(graph.revisions.count)")
    }

    @Test func `a revision that fails keeps the earlier ones, and reports the position`() throws {
        let graph = try RevisionGraph([
            try revision("a1", "", "CREATE TABLE one (n int);"),
            try revision("b2", "a1", "CREATE TABLE two (n int);\n\nALTER TABLE one\n    ADD x int,\n    ADD y wrong;"),
            try revision("c3", "b2", "SELECT 1;"),
        ])
        #expect(
            failure(graph) == """
                versions/b2.sql:9: type "wrong" does not exist (42704)
                        ADD y wrong
                              ^
                b2 was rolled back. Applied: a1. Not applied: b2, c3.
                """)
        #expect(try database.sql("SELECT version_num FROM alembic_version") == "a1")
        #expect(try database.sql("SELECT to_regclass('one') IS NOT NULL AND to_regclass('two') IS NULL") == "t")
        #expect(
            try database.sql("SELECT string_agg(revision || ' ' || outcome, ',' ORDER BY id) FROM migration_history")
                == "a1 applied,b2 failed")
    }

    @Test func `all revisions can run in one transaction`() throws {
        let graph = try RevisionGraph([
            try revision("a1", "", "CREATE TABLE one (n int);"), try revision("b2", "a1", "SELECT 1 / 0;"),
        ])
        var options = Migrator.Options()
        options.isOneTransaction = true
        #expect(failure(graph, options).contains("Applied: nothing. Not applied: a1, b2."))
        #expect(try database.sql("SELECT count(*) FROM alembic_version") == "0")
        #expect(try database.sql("SELECT to_regclass('one') IS NULL") == "t")
    }

    @Test func `branches are applied and merged, and unmerged by a downgrade`() throws {
        let graph = try RevisionGraph([
            try revision("a1", "", "SELECT 1;"), try revision("b2", "a1", "SELECT 1;"),
            try revision("b3", "a1", "SELECT 1;"), try revision("c4", "b2, b3", "SELECT 1;"),
        ])
        let rows = "SELECT string_agg(version_num, ',' ORDER BY version_num) FROM alembic_version"
        try run(graph) { try await $0.upgrade(to: "b3") }
        #expect(try database.sql(rows) == "b3")
        try run(graph) { try await $0.upgrade(to: "b2") }
        #expect(try database.sql(rows) == "b2,b3")
        try run(graph) { try await $0.upgrade() }
        #expect(try database.sql(rows) == "c4")
        try run(graph) { try await $0.downgrade() }
        #expect(try database.sql(rows) == "b2,b3")
        try run(graph) { try await $0.downgrade(to: "base") }
        #expect(try database.sql("SELECT count(*) FROM alembic_version") == "0")
    }

    @Test func `a stamp runs nothing`() throws {
        try run(try shipped()) { try await $0.stamp("head") }
        #expect(try database.sql("SELECT version_num FROM alembic_version") == head)
        #expect(try database.sql("SELECT to_regclass('campaign') IS NULL") == "t")
        try database.sql("UPDATE alembic_version SET version_num = 'zzz'")
        #expect(failure(try shipped()) == "Can't locate revision identified by 'zzz'")
        try run(try shipped()) { try await $0.stamp("6c36", purges: true) }
        #expect(try database.sql("SELECT version_num FROM alembic_version") == "6c369edd2a4c")
    }

    @Test func `a stamp may be relative to the current revision`() throws {
        let graph = try RevisionGraph([
            try revision("a1", "", "SELECT 1;"), try revision("b2", "a1", "SELECT 1;"),
            try revision("c3", "b2", "SELECT 1;"),
        ])
        try run(graph) { try await $0.stamp("b2") }
        for (target, version) in [("current", "b2"), ("current+1", "c3"), ("current-2", "a1")] {
            try run(graph) { try await $0.stamp(target) }
            #expect(try database.sql("SELECT string_agg(version_num, ',') FROM alembic_version") == version)
        }
    }

    @Test func `data loss needs permission, and a changed file is refused`() throws {
        let one = try revision("a1", "", "CREATE TABLE one (n int);")
        let two = try revision(
            "b2", "a1", "-- data loss: all rows of one\nDROP TABLE one;", "-- irreversible: the rows are gone")
        let graph = try RevisionGraph([one, two])
        #expect(
            failure(graph).hasPrefix(
                "versions/b2.sql:6: this deletes data irrecoverably: all rows of one. Nothing was changed."))
        #expect(try database.sql("SELECT to_regclass('alembic_version') IS NULL") == "t")
        var options = Migrator.Options()
        options.allowsDataLoss = true
        try run(graph, options) { try await $0.upgrade() }
        #expect(throws: MigrationFailed.self) { try run(graph) { try await $0.downgrade() } }
        let changed = try RevisionGraph([try revision("a1", "", "CREATE TABLE one (n bigint);"), two])
        #expect(failure(changed).hasPrefix("versions/a1.sql was changed after it had been applied."))
        options.allowsChangedFiles = true
        #expect(failure(changed, options) == "no failure")
    }

    @Test func `function bodies with semicolons are applied as one statement each, and reverted`() throws {
        let up = """
            CREATE TABLE one (n int);
            CREATE TABLE two (n int);
            CREATE FUNCTION a$b$(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC
                SELECT 1;
                SELECT CASE a WHEN 1 THEN CASE a WHEN 1 THEN 2 END END;
            END;
            CREATE RULE twice AS ON DELETE TO one DO ALSO (INSERT INTO two VALUES (1); INSERT INTO two VALUES (2));
            -- data loss: nothing
            DELETE FROM one WHERE n = length(E'1\\'' -- ;
                ';1') -- a comment;
            ;
            INSERT INTO two VALUES (a$b$(1));
            """
        let graph = try RevisionGraph([try revision("a1", "", up, "DROP TABLE two, one; DROP FUNCTION a$b$;")])
        #expect(try problems(graph).isEmpty)
    }

    @Test func `a COMMIT or ROLLBACK in a file is refused before anything is applied`() throws {
        let graph = try RevisionGraph([
            try revision("a1", "", "CREATE TABLE one (n int);"),
            try revision("b2", "a1", "CREATE TABLE two (n int);\n/* so */ COMMIT;\nSELECT 1 / 0;"),
        ])
        #expect(failure(graph).hasPrefix("versions/b2.sql:6: COMMIT is not allowed"))
        #expect(try database.sql("SELECT to_regclass('one') IS NULL AND to_regclass('alembic_version') IS NULL") == "t")
        try run(graph) { try await $0.upgrade(to: "a1") }
        try run(graph) { try await $0.stamp("b2") }
    }

    @Test func `a file is the same with other line ends`() throws {
        let text = "-- x\n-- Revision ID: a1\n-- Revises:\n-- upgrade\nSELECT '\n';\n-- downgrade\n"
        let windows = "\u{feff}" + text.replacing("\n", with: "\r\n")
        try run(RevisionGraph([Revision(parsing: text, file: "a1.sql")])) { try await $0.upgrade() }
        #expect(failure(try RevisionGraph([Revision(parsing: windows, file: "a1.sql")])) == "no failure")
        let sum = "encode(sha256(convert_to('\(text.replacing("'", with: "''"))', 'UTF8')), 'hex')"
        #expect(try database.sql("SELECT checksum = \(sum) FROM migration_history") == "t")
    }

    @Test func `a failed step outside a transaction is run again, and earlier steps are not`() throws {
        let graph = try RevisionGraph([
            try revision(
                "a1", "",
                """
                CREATE TABLE one (n int);
                INSERT INTO one VALUES (1), (1);
                -- outside transaction
                CREATE UNIQUE INDEX CONCURRENTLY one_n ON one (n);
                """)
        ])
        for _ in 1...2 {
            let said = failure(graph)
            #expect(said.hasPrefix("versions/a1.sql:8: could not create unique index \"one_n\" (23505)"))
            #expect(
                said.contains("a1 stopped at line 8 of versions/a1.sql, and the statements before it remain applied"))
            #expect(try database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0")
        }
        #expect(try database.sql("SELECT count(*) FROM one") == "2")
        try database.sql("DELETE FROM one")
        #expect(failure(graph) == "no failure")
    }

    @Test func `while waiting for the lock, its holder is reported, until the timeout`() throws {
        let holder = try Loop.run { [configuration = database.directConfiguration()] in
            let connection = try await Connection.open(configuration)
            try await connection.script("SELECT pg_advisory_lock(\(0x61_6c65_6d62_6963))")
            return connection
        }
        defer { holder.close() }
        var options = Migrator.Options()
        options.lockTimeout = .milliseconds(300)
        let said = failure(try shipped(), options)
        #expect(said.hasPrefix("another session is changing the schema: timed out after 0 s. It is held by pid "))
        #expect(said.contains("(aktify) since 2"))
    }

    @Test func `a role that may not see since when the lock's holder is connected waits for it, too`() throws {
        let role = "owner_\(UInt32.random(in: 0...UInt32.max))"
        try database.sql("CREATE ROLE \(role) LOGIN; GRANT CREATE ON SCHEMA public TO \(role)")
        let holder = try database.opened("SELECT pg_advisory_lock(\(0x61_6c65_6d62_6963))")
        defer { holder.close() }
        var options = Migrator.Options()
        options.lockTimeout = .milliseconds(300)
        let graph = try RevisionGraph([try revision("a1", "", "SELECT 1;")])
        let migrator = Migrator(
            graph: graph, configuration: database.directConfiguration(user: role), options: options
        ) { _ in }
        let error = #expect(throws: MigrationFailed.self) { try Loop.run { try await migrator.upgrade() } }
        #expect(
            error?.description.contains(/It is held by pid \d+ \(aktify\)\.$/) == true, "\(error?.description ?? "")")
    }

    @Test func `a table lock is retried several times, until the timeout`() throws {
        try database.sql("CREATE TABLE one (n int)")
        let graph = try RevisionGraph([try revision("a1", "", "ALTER TABLE one ADD m int;")])
        let locker = try Loop.run { [configuration = database.directConfiguration()] in
            let connection = try await Connection.open(configuration)
            try await connection.script("BEGIN; LOCK TABLE one")
            return connection
        }
        var options = Migrator.Options()
        (options.tableLockTimeout, options.maximumAttempts) = (.milliseconds(100), 2)
        #expect(failure(graph, options).contains("(55P03)"))
        locker.close()
        #expect(failure(graph, options) == "no failure")
    }

    @Test func `the models are compared with the database`() throws {
        struct Thing: Tabular {
            var id: Int64
            var label: String
            struct Columns: Sendable {
                let id = Column(\Thing.id, "id", .primaryKey, default: .serial)
                let label = Column(\Thing.label, "label", .unique, .check("label <> ''"), default: .value("x"))
            }
            static let columns = Columns()
            static let definition = TableDefinition(
                "thing", columns: [columns.id.definition, columns.label.definition],
                indexes: [IndexDefinition("thing_label_idx", on: "label", "id")])
        }
        func changes() throws -> [Change] {
            let (configuration, metadata) = (database.directConfiguration(), Metadata(Thing.definition))
            return try Loop.run {
                let (actual, wanted) = try await Catalog.compared(metadata, configuration)
                return Differences(actual: actual, wanted: wanted).changes
            }
        }
        func expect(_ summaries: [String], after sql: String = "") throws {
            if !sql.isEmpty { try database.sql(sql) }
            let found = try changes()
            #expect(found.summaries == summaries)
            // The generated statements work, in both directions.
            let sections = found.sections
            let before = try database.sql(Self.everything)
            func run(_ section: String) throws {
                for (sql, _) in SQLScript.statements(of: section) { try database.sql(sql) }
            }
            try run(sections.upgrade)
            #expect(try changes().isEmpty)
            try run(sections.downgrade)
            #expect(try database.sql(Self.everything) == before)
            try run(sections.upgrade)
        }
        try expect(["Detected added table 'thing'"])
        try expect(
            ["Detected type change from integer to bigint on 'thing.id'"],
            after: "ALTER TABLE thing ALTER id TYPE integer; ALTER SEQUENCE thing_id_seq AS integer")
        try expect(
            ["Detected NOT NULL on column 'thing.label'", "Detected server default on column 'thing.label'"],
            after: "ALTER TABLE thing ALTER label DROP NOT NULL, ALTER label SET DEFAULT 'y'")
        try expect(
            ["Detected added constraint 'thing_label_key' on 'thing'"],
            after: "ALTER TABLE thing DROP CONSTRAINT thing_label_key")
        try expect(
            ["Detected added constraint 'thing_label_check' on 'thing'"],
            after: "ALTER TABLE thing DROP CONSTRAINT thing_label_check")
        try expect(["Detected added index 'thing_label_idx' on 'thing'"], after: "DROP INDEX thing_label_idx")
        try expect(["Detected removed index 'odd' on 'thing'"], after: "CREATE INDEX odd ON thing (id, label)")
        try expect(["Detected removed column 'thing.extra'"], after: "ALTER TABLE thing ADD extra integer")
        try expect(
            ["Detected removed table 'other'"],
            after: "CREATE TABLE other (id bigserial PRIMARY KEY, n integer NOT NULL DEFAULT 7)")
        try expect(["Detected renamed column 'thing.name' to 'label'"], after: "ALTER TABLE thing RENAME label TO name")
        try expect(["Detected renamed table 'item' to 'thing'"], after: "ALTER TABLE thing RENAME TO item")
        #expect(try changes().isEmpty)
    }

    @Test func `data loss is marked, and a narrower type counts as one`() throws {
        try migrate()
        try database.sql("ALTER TABLE campaign ADD gone text, ALTER COLUMN name TYPE text")
        let configuration = database.directConfiguration()
        let changes = try Loop.run {
            let (actual, wanted) = try await Catalog.compared(metadata, configuration)
            return Differences(actual: actual, wanted: wanted).changes
        }
        let text = changes.sections.upgrade
        #expect(
            text.contains("-- data loss: values of campaign.name that do not fit character varying(255)\nALTER TABLE"))
        #expect(text.contains("-- data loss: all values of campaign.gone\nALTER TABLE campaign DROP COLUMN gone;"))
    }

    private func migrate() throws { try upgrade(try shipped()) }

    private static let everything = """
        SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
            SELECT attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || \
        attnotnull || ' '
                || coalesce(pg_get_expr(adbin, adrelid), '') AS line
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attnum > 0 AND NOT attisdropped AND relnamespace = 'public'::regnamespace
            UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
                WHERE connamespace = 'public'::regnamespace) lines
        """
}
