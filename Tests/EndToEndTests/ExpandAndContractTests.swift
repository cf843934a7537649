import Foundation
import TestSupport
import Testing

/// Expand and contract: a revision that drops what older programs need is refused while such programs are connected.
@Suite struct ExpandAndContractTests {
    @Test func `a contract is refused until the workers that do not know the revision it completes are gone`() throws {
        let (stack, migrations) = (try Stack(), try MigrationFolder())
        let name =
            "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'psql'"
        #expect(try stack.get("/campaigns/").status == 200)
        #expect(try stack.database.sql(name) == "aktify \(Stack.version) (\(migrations.head))")

        try migrations.add("aaaa00000001", after: migrations.head, "ALTER TABLE campaign ADD COLUMN slug TEXT;")
        try migrations.add("aaaa00000002", after: "aaaa00000001", "-- contract of aaaa00000001\nSELECT 1;")
        let upgrade = [Stack.program, "db", "upgrade", "--directory", "\(migrations.folder.path)/migrations"]
        let refused = try runToEnd(upgrade, environment: stack.database.environment)
        #expect(refused.status == 1)
        #expect(
            refused.output.contains(
                "programs are connected that do not know aaaa00000001: aktify \(Stack.version) (\(migrations.head)) (pid "
            ))
        #expect(try runToEnd(upgrade + ["aaaa00000001"], environment: stack.database.environment).status == 0)
        #expect(try stack.get("/healthz").status == 200)

        stack.worker.signal(SIGTERM)
        #expect(stack.worker.wait(seconds: 10) == 0)
        try waitUntil("its sessions are gone") { try stack.database.sql(name).isEmpty }
        #expect(try runToEnd(upgrade, environment: stack.database.environment).status == 0)
    }

    @Test func `the sessions of a migration command do not count as those of a program`() throws {
        let migrations = try MigrationFolder()
        #expect(try migrations.db(["upgrade"]).status == 0)
        let (database, path) = (migrations.database, migrations.folder.path)
        let locked =
            "SELECT count(*) FROM pg_locks WHERE relation = 'campaign'::regclass AND mode = 'AccessExclusiveLock' AND granted"
        let holder = try Child(
            ["psql", "-Xqc", "BEGIN; LOCK campaign; SELECT pg_sleep(4)"],
            environment: ["PGHOST": database.socketDirectory, "PGUSER": "postgres", "PGDATABASE": database.name],
            output: "\(path)/holder")
        try waitUntil("the table is locked") { try database.sql(locked) == "1" }
        // The dump reads the table definitions, and waits for the table lock.
        let dump = try Child(
            [Stack.program, "db", "dump", "--directory", migrations.path], environment: database.environment,
            output: "\(path)/dump")
        try waitUntil("it waits") {
            try database.sql(
                "SELECT string_agg(DISTINCT application_name, ', ') FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                    + "AND datname = current_database()") == "aktify db"
        }
        #expect(holder.wait(seconds: 10) == 0 && dump.wait(seconds: 30) == 0)
    }
}

extension MigrationFolder {
    /// Writes a revision's file.
    func add(_ id: String, after parent: String, _ up: String, more: String = "") throws {
        let text =
            "-- Add it\n--\n-- Revision ID: \(id)\n-- Revises: \(parent)\n-- upgrade\n\(up)\n-- downgrade\n\(more)\n"
        try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/migrations/versions/\(id)_add_it.sql"))
    }
}
