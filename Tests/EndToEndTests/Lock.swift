import Foundation
import TestSupport

/// A transaction that stays open until `release`, for at most 30 seconds. By default, it holds an ACCESS EXCLUSIVE lock
/// on `campaign`, which blocks even reads.
final class Lock {
    private let folder: Folder
    private let holder: Child
    private let database: TestDatabase

    init(
        on database: TestDatabase, _ statement: String = "LOCK TABLE campaign IN ACCESS EXCLUSIVE MODE"
    ) throws {
        self.database = database
        folder = try Folder()
        holder = try Child(
            [
                "psql", "-X", "-h", database.socketDirectory, "-U", "postgres", database.name, "-c",
                "BEGIN; \(statement); SELECT pg_sleep(30); COMMIT",
            ], output: "\(folder.path)/log")
        try waitUntil("it is open") { try database.sleepers() == 1 }
    }

    func release() {
        holder.signal(SIGKILL)
        _ = try? database.terminateSleepers()
    }
}
