import Foundation
import TestSupport
import Testing

/// The migration commands, as an operator runs them.
@Suite struct MigrationCommandTests {
    private let migrations: MigrationFolder
    private var database: TestDatabase { migrations.database }
    private var folder: Folder { migrations.folder }
    private var head: String { migrations.head }

    init() throws { migrations = try MigrationFolder() }

    private func db(_ arguments: String...) throws -> (status: Int32, output: String) { try migrations.db(arguments) }

    private var files: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/migrations/versions").sorted()
        }
    }

    @Test func `the commands of the original application work`() throws {
        let made = try db("revision", "-m", "Add Budget to campaign", "--rev-id", "aaaa00000001")
        #expect(made.status == 0 && made.output.hasPrefix("  Generating "))
        #expect(made.output.hasSuffix("aaaa00000001_add_budget_to_campaign.sql ...  done\n"))
        #expect(try db("heads").output == "aaaa00000001 (head)\n")
        let up = try db("upgrade")
        #expect(
            up.status == 0
                && up.output.contains("Running upgrade \(head) -> aaaa00000001, Add Budget to campaign\n"))
        #expect(try db("current").output == "aaaa00000001 (head)\n")
        #expect(
            try db("downgrade").output.hasSuffix(
                "Running downgrade aaaa00000001 -> \(head), Add Budget to campaign\n"))
        #expect(try db("current").output == "\(head)\n")
        #expect(try db("current", "--check-heads").status == 1)
        let history = try db("history", "-i").output.split(separator: "\n")
        #expect(history[0] == "\(head) -> aaaa00000001 (head), Add Budget to campaign")
        #expect(history[1].contains(" -> \(head) (current), "))
        #expect(
            history.suffix(2) == [
                "6c369edd2a4c -> 3531fa35359f, Add description and is_active",
                "<base> -> 6c369edd2a4c, Create Campaign table",
            ])
        #expect(try db("history", "-r", "\(head.prefix(4)):").output.split(separator: "\n").count == 2)
        #expect(try db("history", "-r", "\(head):+1").output.split(separator: "\n").count == 2)
        #expect(try db("downgrade", "base").status == 0 && db("current").output == "")
        let below = try db("downgrade", "-1")
        #expect(
            below.status == 1 && below.output.hasSuffix("Error: Relative revision -1 didn't produce 1 migrations\n"))
        var editor = database.environment
        editor["EDITOR"] = "head -n 1"
        let edited = try runToEnd([Stack.program, "db", "edit", "6c36"], environment: editor)
        #expect(edited.output == "-- Create Campaign table\n")
        #expect(try db("show", "6c36").output.contains("Create Date: 2020-03-03 00:00:00"))
        #expect(try db("upgrade", "zzz").output.hasSuffix("Error: Can't locate revision identified by 'zzz'\n"))
        #expect(try db("upgrade", "--nothing").status == 2)
    }

    @Test func `branches are created, refused where one head is required, and merged`() throws {
        #expect(try db("revision", "-m", "one", "--rev-id", "aaaa00000001").status == 0)
        let refused = try db("revision", "-m", "two", "--head", head)
        #expect(refused.status == 1 && refused.output.contains("is not a head revision; please specify --splice"))
        #expect(
            try db("revision", "-m", "two", "--head", head, "--splice", "--rev-id", "bbbb00000002").status
                == 0)
        #expect(try db("branches").output.hasPrefix("\(head) (branchpoint)\n    -> "))
        #expect(try db("upgrade").output.contains("Multiple heads are present (aaaa00000001, bbbb00000002)"))
        #expect(try db("merge", "bbbb", "heads", "--rev-id", "cccc00000003").status == 0 && db("upgrade").status == 0)
        #expect(try db("show", "cccc").output.contains("Revises: bbbb00000002, aaaa00000001\n"))
        #expect(try db("current").output.hasSuffix(" (head) (mergepoint)\n"))
    }

    @Test func `eight concurrent upgrades succeed, and each revision runs once`() throws {
        let outcomes = (0..<8).map { _ in
            try? Child([Stack.program, "db", "upgrade"], environment: database.environment, output: "/dev/null")
        }
        #expect(outcomes.map { $0?.wait(seconds: 20) } == Array(repeating: 0, count: 8))
        #expect(
            try database.sql("SELECT count(*) || ' ' || count(DISTINCT revision) FROM migration_history")
                == "\(files.count) \(files.count)")
    }

    @Test func `models and database are compared, and data loss is refused`() throws {
        let original = try db("upgrade", "6c36")
        #expect(original.status == 0)
        let behind = try db("check")
        #expect(behind.status == 1 && behind.output.contains("type change from integer to bigint on 'campaign.id'"))
        #expect(try db("migrate", "-m", "x").output == "Error: Target database is not up to date: aktify db upgrade\n")
        #expect(try db("upgrade").status == 0)
        #expect(try db("check").output == "No new upgrade operations detected.\n")
        #expect(try db("check", "--json").output == "{\"ok\":true,\"problems\":[]}\n")
        let before = try files
        #expect(try db("migrate", "-m", "x").output.contains("No changes in schema detected."))
        #expect(try files == before)
        try database.sql("ALTER TABLE campaign ADD budget integer")
        let removed = try db("migrate", "-m", "Drop budget")
        #expect(removed.output.contains("Detected removed column 'campaign.budget'") && removed.status == 0)
        let refused = try db("upgrade")
        #expect(
            refused.status == 1
                && refused.output.contains("this deletes data irrecoverably: all values of campaign.budget.")
        )
        #expect(try db("upgrade", "--allow-data-loss").status == 0 && db("check").status == 0)
        try database.sql("ALTER TABLE campaign RENAME description TO summary")
        #expect(
            try db("migrate", "-m", "Rename").output.contains(
                "Detected renamed column 'campaign.summary' to 'description'"))
        #expect(try db("upgrade").status == 0)
        let newest = try #require(try files.first { !before.contains($0) && $0.hasSuffix("_rename.sql") })
        let text = try String(contentsOfFile: "\(folder.path)/migrations/versions/\(newest)", encoding: .utf8)
        #expect(try text.contains("-- lint: allow renaming ") && db("check").status == 0)
    }

    @Test func `verify, lint, seed and wait`() throws {
        #expect(try db("verify").output.hasSuffix("\(head): applied, undone, applied again\n"))
        #expect(try db("lint").output == "" && db("lint").status == 0)
        #expect(try db("upgrade").status == 0)
        func command(_ words: String...) throws -> (status: Int32, output: String) {
            try runToEnd([Stack.program, "db"] + words, environment: database.environment)
        }
        #expect(try command("seed").output == "Added 3 campaigns.\n")
        #expect(try command("seed").output == "There are campaigns already: nothing was added.\n")
        #expect(try command("wait", "--timeout", "1").status == 0)
        let away = try runToEnd(
            [Stack.program, "db", "wait", "--timeout", "1"], environment: ["POSTGRES_HOST": "/nowhere"])
        #expect(away.status == 1 && away.output.hasPrefix("Error: the database did not respond within 1 s: "))
    }

    @Test func `lint states the size of a table, not that of its namesake in another schema`() throws {
        #expect(try db("upgrade").status == 0)
        let statements = "ALTER TABLE campaign DROP COLUMN name;\nALTER TABLE old.campaign DROP COLUMN a;"
        try migrations.add("aaaa00000001", statements)
        try database.sql(
            """
            CREATE SCHEMA old; CREATE TABLE old.campaign (a int);
            INSERT INTO campaign (name) SELECT 'c' FROM generate_series(1, 20);
            INSERT INTO old.campaign SELECT generate_series(1, 30); ANALYZE campaign, old.campaign
            """)
        let output = try db("lint", "--connected").output
        #expect(output.contains("(campaign has about 20 rows)") && output.contains("(old.campaign has about 30 rows)"))
    }

    @Test func `a malformed section fails only the commands that need it`() throws {
        #expect(try db("upgrade").status == 0)
        #expect(try db("revision", "-m", "upgrade", "--rev-id", "aaaa00000001").status == 0)
        let file = "\(folder.path)/migrations/versions/aaaa00000001_upgrade.sql"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let malformed = text.replacing("-- upgrade\n\n", with: "-- upgrade \n\nSELECT 1;\nCOMMIT;\n")
        try Data(("\u{feff}" + malformed.replacing("\n", with: "\r\n")).utf8).write(to: URL(filePath: file))
        #expect(try db("heads").output == "aaaa00000001 (head)\n" && db("current").output == "\(head)\n")
        #expect(try db("history").output.hasPrefix("\(head) -> aaaa00000001 (head), upgrade\n"))
        #expect(try db("show", "aaaa").status == 0)
        for command in ["upgrade", "lint", "check"] {
            let refused = try db(command)
            #expect(refused.status == 1 && refused.output.contains("\(file):10: "), "\(command)")
            #expect(refused.output.contains("COMMIT is not allowed"), "\(command)")
        }
        #expect(try db("upgrade", "--sql").status == 1 && db("current").output == "\(head)\n")
    }

    @Test func `an interrupted upgrade is rolled back, and the next one succeeds`() throws {
        #expect(try db("upgrade").status == 0)
        let slow = """
            -- Slow\n--\n-- Revision ID: aaaa00000001\n-- Revises: \(head)\n-- Create Date: 2026-11-23 00:00:00\n
            -- upgrade\nCREATE TABLE slow (n int);\nSELECT pg_sleep(5);\n-- downgrade\nDROP TABLE slow;\n
            """
        let file = "\(folder.path)/migrations/versions/aaaa00000001_slow.sql"
        for signal in [SIGTERM, SIGINT, SIGKILL] {
            try Data(slow.utf8).write(to: URL(filePath: file))
            let child = try Child(
                [Stack.program, "db", "upgrade", "--directory", "\(folder.path)/migrations"],
                environment: database.environment, output: "\(folder.path)/log-\(signal)")
            try waitUntil("it sleeps") { try database.sleepers() == 1 }
            child.signal(signal)
            #expect(child.wait(seconds: 3) == (signal == SIGKILL ? 128 + SIGKILL : 1))
            if signal != SIGKILL { #expect(child.log.contains("It was interrupted. aaaa00000001 was rolled back.")) }
            #expect(try database.sql("SELECT to_regclass('slow') IS NULL") == "t")
        }
        try Data(slow.replacing("pg_sleep(5)", with: "1").utf8).write(to: URL(filePath: file))
        #expect(try db("upgrade").status == 0 && db("current").output == "aaaa00000001 (head)\n")
    }

    @Test func `a second signal ends a command whose database is unresponsive`() throws {
        let sleeping = """
            -- Slow\n--\n-- Revision ID: aaaa00000001\n-- Revises: \(head)\n-- upgrade\nSELECT pg_sleep(60);\n-- \
            downgrade\n
            """
        try Data(sleeping.utf8).write(to: URL(filePath: "\(folder.path)/migrations/versions/aaaa00000001_slow.sql"))
        let child = try Child(
            [Stack.program, "db", "upgrade", "--directory", "\(folder.path)/migrations"],
            environment: database.environment, output: "\(folder.path)/log")
        try waitUntil("it sleeps") { try database.sleepers() == 1 }
        let sleeper = try #require(
            Int32(
                try database.sql(
                    "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND wait_event = 'PgSleep' AND datname = current_database()"
                )))
        kill(sleeper, SIGSTOP)
        defer { kill(sleeper, SIGCONT) }
        child.signal(SIGTERM)
        #expect(child.wait(seconds: 1) == nil)
        child.signal(SIGTERM)
        #expect(child.wait(seconds: 2) == 128 + SIGTERM)
    }

    @Test
    func `status shows applied, pending and changed revisions, invalid constraints and drift, as a table and in JSON`()
        throws
    {
        let before = try db("status")
        #expect(before.status == 3)
        #expect(before.output.hasPrefix("6c369edd2a4c  pending  Create Campaign table\n3531fa35359f  pending  "))
        #expect(try db("upgrade").status == 0)
        let well = try db("status")
        #expect(well.status == 0 && well.output.contains("6c369edd2a4c  applied  Create Campaign table\n"))
        let json = try db("status", "--json")
        #expect(json.status == 0)
        #expect(
            json.output.hasPrefix(
                #"{"drift":[],"flaws":[],"revisions":[{"detail":"","id":"6c369edd2a4c","message":"Create Campaign table","state":"applied"}"#
            ))
        try database.sql(
            "ALTER TABLE campaign ADD CONSTRAINT odd CHECK (id > 0) NOT VALID; ALTER TABLE campaign DROP is_active")
        let file = "\(folder.path)/migrations/versions/\(try #require(files.first { $0.hasPrefix("6c36") }))"
        try Data((String(contentsOfFile: file, encoding: .utf8) + "\n-- more\n").utf8).write(to: URL(filePath: file))
        let odd = try db("status")
        #expect(odd.status == 1 && odd.output.contains("6c369edd2a4c  changed  "))
        #expect(odd.output.contains("odd") && odd.output.contains("Detected added column 'campaign.is_active'"))
    }

    @Test func `repair makes the confirmed repairs, and records them`() throws {
        #expect(try db("upgrade").status == 0)
        #expect(try db("repair").output == "There is nothing to repair.\n")
        let slip = """
            -- Slip\n--\n-- Revision ID: aaaa00000001\n-- Revises: \(head)\n-- upgrade\nCREATE TABLE slip (n int);
            -- outside transaction\nCREATE INDEX CONCURRENTLY slip_n ON slip (m);\n-- downgrade\nDROP TABLE slip;\n
            """
        try Data(slip.utf8).write(to: URL(filePath: "\(folder.path)/migrations/versions/aaaa00000001_slip.sql"))
        #expect(try db("upgrade").output.contains("aaaa00000001 stopped at line 8 of "))
        try database.sql("INSERT INTO slip VALUES (1), (1)")
        _ = try? database.sql("CREATE UNIQUE INDEX CONCURRENTLY left_over ON slip (n)")
        try database.sql("UPDATE migration_history SET checksum = 'x' WHERE revision = '\(head)'")
        let command = [Stack.program, "db", "repair", "--directory", "\(folder.path)/migrations"]
        let refused = try runToEnd(command, environment: database.environment, input: "y\nn\n")
        #expect(refused.status == 1 && refused.output.contains("accept \(folder.path)/migrations/versions/\(head)"))
        #expect(refused.output.contains("? [y/N] clear the progress of aaaa00000001: it stopped at line 8 of "))
        #expect(try db("upgrade").output.contains("aaaa00000001 stopped at line 8 of "))
        let done = try db("repair", "--yes")
        #expect(
            done.status == 0 && !done.output.contains("accept ") && done.output.contains("clear the progress of "))
        #expect(try db("repair").output == "There is nothing to repair.\n")
        #expect(try db("status").status == 3)
        let outcomes =
            "SELECT string_agg(outcome, ',' ORDER BY id) FROM (SELECT * FROM migration_history ORDER BY id DESC LIMIT 3) last"
        #expect(try database.sql(outcomes) == "accepted,stopped,cleared")
    }

    @Test func `the revision in the documentation does what the documentation says`() throws {
        let page = try String(contentsOfFile: "\(checkout)/docs/migrations.md", encoding: .utf8)
        let section = try #require(page.split(separator: "## Revision file\n\n```sql\n").last)
        let text = String(try #require(section.split(separator: "```\n").first))
        let named = text.replacing(/-- Revises: \w+/, with: "-- Revises: \(head)")
        #expect(named.contains("-- Revision ID: 51a9c0000001\n"))
        try Data(named.utf8).write(to: URL(filePath: "\(folder.path)/migrations/versions/51a9c0000001_add_a_token.sql"))
        #expect(try db("upgrade", head).status == 0)
        try database.sql("INSERT INTO campaign (name) SELECT 'Spring ' || n FROM generate_series(1, 12000) n")
        let upgrade = try db("upgrade")
        #expect(upgrade.status == 0 && upgrade.output.contains(": all batches done: 12000 rows of campaign\n"))
        #expect(
            try database.sql("SELECT count(DISTINCT xmin::text), count(DISTINCT token) FROM campaign") == "3|12000")
        try database.sql("INSERT INTO campaign (name) VALUES ('Later')")
        #expect(!(try db("check").output.contains("verification of")))
        try database.sql("UPDATE campaign SET token = NULL WHERE id = 7")
        #expect(try db("check").output.contains("verification of 51a9c0000001: it returns false, not true\n"))
        #expect(try db("downgrade").output.contains("--allow-data-loss"))
        #expect(try db("downgrade", "--allow-data-loss").status == 0)
        let verify = try db("verify")
        #expect(
            verify.status == 0 && verify.output.contains("51a9c0000001: applied, undone, applied again\n"),
            "\(verify.output)")
    }

    @Test func `invalid command lines are rejected`() throws {
        #expect(try runToEnd([Stack.program, "db"]).status == 2)
        for target in ["+-1", "--1", "+x"] { #expect([1, 2].contains(try db("upgrade", target).status), "\(target)") }
        for timeout in ["--lock-timeout", "--table-lock-timeout"] {
            #expect(try db("upgrade", timeout, "9223372036854775807").status == 2)
        }
        let merge = try db("merge", "head", "6c36")
        #expect(merge.status == 1 && merge.output.contains("there is nothing to merge"))
    }

    @Test func `a worker refuses an incompatible schema in one line, unless it may migrate`() throws {
        func serve(_ environment: [String: String] = [:]) throws -> (status: Int32, output: String) {
            try runToEnd(
                [Stack.program, "worker", "--listen", "unix:\(folder.path)/api.sock"],
                environment: database.environment.merging(environment) { $1 })
        }
        let behind = try serve()
        #expect(behind.status == 1)
        #expect(
            behind.output
                == "Error: the database's schema is at base, behind \(head): run aktify db upgrade, or start with MIGRATE_ON_START=1\n"
        )
        #expect(try db("upgrade").status == 0)
        try database.sql("UPDATE alembic_version SET version_num = 'ffff00000001'")
        let ahead = try serve()
        #expect(
            ahead.status == 1
                && ahead.output.contains("is at revision ffff00000001, which this program does not know"))
    }

    @Test func `workers that start together migrate once, and report a schema that has been downgraded`() throws {
        let stack = try Stack(environment: ["MIGRATE_ON_START": "1"], isMigrated: false)
        #expect(try stack.get("/readyz").body == "{\"status\":\"ready\"}\n" && stack.get("/healthz").status == 200)
        #expect(try stack.database.sql("SELECT count(*) FROM migration_history") == String(files.count))
        try stack.database.sql("UPDATE alembic_version SET version_num = '6c369edd2a4c'")
        let moved = try stack.get("/readyz")
        #expect(
            moved.status == 503
                && moved.body.contains("schema is at 6c369edd2a4c, behind \(head): run aktify db upgrade."))
        #expect(try stack.get("/healthz").status == 200)
    }

    @Test func `workers start and stay ready when the schema is ahead, until a breaking revision is applied`() throws {
        let stack = try Stack()
        func db(_ arguments: String...) throws {
            let command = [Stack.program, "db"] + arguments + ["--directory", "\(folder.path)/migrations"]
            try run(command, environment: stack.database.environment)
        }
        func serve() throws -> Child {
            try Child(
                [Stack.program, "worker", "--listen", "unix:\(folder.path)/other.sock"],
                environment: stack.database.environment.merging(["MIGRATE_ON_START": "1"]) { $1 },
                output: "\(folder.path)/other-\(UUID()).log")
        }
        try db("revision", "-m", "Add a table", "--rev-id", "aaaa00000001")
        try db("upgrade")
        #expect(try stack.get("/readyz").body == "{\"status\":\"ready\"}\n")
        let started = try serve()
        try waitUntil("it is ready: \(started.log)") { started.log.contains("\"the worker is ready\"") }
        started.signal(SIGTERM)
        #expect(started.wait(seconds: 5) == 0)

        try db("revision", "-m", "Drop a column", "--rev-id", "bbbb00000002", "--breaking", "the name moves")
        try db("revision", "-m", "Another", "--rev-id", "cccc00000003")
        try db("upgrade")
        let broken = try stack.get("/readyz")
        #expect(
            broken.status == 503
                && broken.body.contains("that breaks this program: bbbb00000002 (the name moves). Update"))
        #expect(try stack.get("/campaigns/").status == 200)
        let refused = try serve()
        #expect(
            refused.wait(seconds: 10) == 1 && refused.log.contains("breaks this program: bbbb00000002 (the name moves)")
        )

        try db("downgrade", "aaaa00000001")
        #expect(try stack.get("/readyz").status == 200)
        // Alembic itself has applied a revision, about which nothing is recorded.
        try stack.database.sql("UPDATE alembic_version SET version_num = 'dddd00000004'")
        let unknown = try stack.get("/readyz")
        #expect(
            unknown.status == 503
                && unknown.body.contains("is at revision dddd00000004, which this program does not know"))
    }
}
