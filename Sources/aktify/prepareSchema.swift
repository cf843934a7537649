import AktifyAPI
import EventLoop
import Logging
import Migrations
import ORM

/// Refuses a schema that the program cannot work with, after it has been migrated when that is wanted. A database that does not
/// answer is no reason to stop: requests that need it are answered with 503 until it does.
/// - Returns: the configuration, with what the schema must be like.
/// - Throws: `Complaint`, and what a migration throws.
func prepareSchema(_ graph: RevisionGraph, _ config: Config, log: Logger) throws -> Config {
    var config = config
    config.schema = SchemaCheck(heads: Set(graph.heads.map(\.id)), revisions: Set(graph.revisions.map(\.id)))
    let migrator = Migrator(graph: graph, configuration: config.database, log: { log.info("\($0)") })
    try Loop.run { [config] in
        let health = HealthService(Database(config.database), schema: config.schema)
        do {
            do {
                try await health.check()
            } catch let error as NotReady where error.state == .behind && config.migratesOnStart {
                try await migrator.upgrade(to: "heads")
                try await health.check()
            }
        } catch let error as NotReady {
            throw Complaint("\(error)" + (error.state == .behind ? ", or start with MIGRATE_ON_START=1" : ""))
        } catch let error as DatabaseError where error.meaning == .unavailable {
            log.error("the schema is not known: \(error)")
        }
    }
    return config
}
