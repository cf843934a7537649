import AktifyAPI
import EventLoop
import Logging
import Migrations
import ORM

/// Refuses a schema that is not the program's own, after it has been migrated when that is wanted. A database that does not
/// answer is no reason to stop: requests that need it are answered with 503 until it does.
/// - Throws: `Complaint`, and what a migration throws.
func prepareSchema(_ graph: RevisionGraph, _ config: Config, log: Logger) throws {
    let migrator = Migrator(graph: graph, configuration: config.database, log: { log.info("\($0)") })
    let reason = try Loop.run {
        do {
            if config.migratesOnStart { try await migrator.upgrade(to: "heads") }
            return try await migrator.reasonNotToServe()
        } catch let error as DatabaseError where error.meaning == .unavailable {
            log.error("the schema is not known: \(error)")
            return nil
        }
    }
    if let reason { throw Complaint(reason) }
}
