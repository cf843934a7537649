import Foundation
import TestSupport

/// Holds the table so that nobody can even read it.
final class Lock {
    private let folder: Folder
    private let holder: Child
    private let database: TestDatabase

    init(on database: TestDatabase) throws {
        self.database = database
        folder = try Folder()
        holder = try Child(
            [
                "psql", "-X", "-h", database.socketDirectory, "-U", "postgres", database.name, "-c",
                "BEGIN; LOCK TABLE campaign IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(30); COMMIT",
            ], output: "\(folder.path)/log")
        try waitUntil("the table is locked") { try database.sleepers() == 1 }
    }

    func release() {
        holder.signal(SIGKILL)
        _ = try? database.terminateSleepers()
    }
}
