import Foundation
import TestSupport
import Testing

/// What old programs need is taken away when none of them runs.
@Suite struct ExpandAndContractTests {
    @Test func `a contract waits until the workers are gone that do not know what it is the contract of`() throws {
        let (stack, migrations) = (try Stack(), try MigrationFolder())
        let name =
            "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'psql'"
        #expect(try stack.get("/campaigns/").status == 200)
        #expect(try stack.database.sql(name) == "aktify 1.0.0 (\(migrations.head))")

        try migrations.add("aaaa00000001", after: migrations.head, "ALTER TABLE campaign ADD COLUMN slug TEXT;")
        try migrations.add("aaaa00000002", after: "aaaa00000001", "-- contract of aaaa00000001\nSELECT 1;")
        let upgrade = [Stack.program, "db", "upgrade", "--directory", "\(migrations.folder.path)/migrations"]
        let refused = try runToEnd(upgrade, environment: stack.database.environment)
        #expect(refused.status == 1)
        #expect(
            refused.output.contains(
                "programs are connected that do not know aaaa00000001: aktify 1.0.0 (\(migrations.head)) (pid "))
        #expect(try runToEnd(upgrade + ["aaaa00000001"], environment: stack.database.environment).status == 0)
        #expect(try stack.get("/healthz").status == 200)

        stack.worker.signal(SIGTERM)
        #expect(stack.worker.wait(seconds: 10) == 0)
        try waitUntil("its sessions are gone") { try stack.database.sql(name).isEmpty }
        #expect(try runToEnd(upgrade, environment: stack.database.environment).status == 0)
    }
}

extension MigrationFolder {
    /// Writes a revision's file.
    func add(_ id: String, after parent: String, _ up: String) throws {
        let text = "-- Add it\n--\n-- Revision ID: \(id)\n-- Revises: \(parent)\n-- upgrade\n\(up)\n-- downgrade\n"
        try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/migrations/versions/\(id)_add_it.sql"))
    }
}
