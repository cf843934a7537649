import AktifyAPI
import ArgumentParser
import EventLoop
import Logging
import Migrations
import ORM

/// Refuses a schema that the program cannot work with, after it has been migrated when that is wanted. A database that does not
/// answer is no reason to stop: requests that need it are answered with 503 until it does.
/// - Parameter endings: the signals that end the process, before it serves too: a migration is rolled back then.
/// - Returns: the configuration, with what the schema must be like.
/// - Throws: `Complaint`, what a migration throws, and `ExitCode.success` after one of `endings`.
func prepareSchema(_ graph: RevisionGraph, _ config: Config, endings: [Int32], log: Logger) throws -> Config {
    var config = config
    config.schema = SchemaCheck(heads: Set(graph.heads.map(\.id)), revisions: Set(graph.revisions.map(\.id)))
    let migrator = Migrator(graph: graph, configuration: config.database, log: { log.info("\($0)") })
    let prepare = { @Sendable [config] in
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
    do { try runCancellably(by: endings, prepare) } catch let interruption as Interrupted {
        log.info("told to end before it was ready: \(interruption)")
        throw ExitCode.success
    }
    return config
}
