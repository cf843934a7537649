import AktifyAPI
import ArgumentParser
import EventLoop
import Logging
import Migrations
import ORM

/// Refuses a schema that the program cannot work with, after it has been migrated when that is wanted. A database that does not
/// answer is no reason to stop: requests that need it are answered with 503 until it does.
/// - Parameters:
///   - endings: the signals that end the process, before it serves too: a migration is rolled back then.
///   - waits: whether to wait for a database that does not answer, when it is to be migrated: nobody else would do that.
/// - Returns: the configuration, with what the schema must be like.
/// - Throws: `CommandError`, what a migration throws, and `ExitCode.success` after one of `endings`.
func prepareSchema(_ graph: RevisionGraph, _ config: Config, endings: [Int32], waits: Bool, log: Logger) throws
    -> Config
{
    var config = config
    let heads = Set(graph.heads.map(\.id))
    config.schema = SchemaCheck(heads: heads, revisions: graph.knownIDs)
    config.database.applicationName = ProgramName(version: Aktify.version, heads: heads).text
    var options = Migrator.Options()
    // Several start at once: one migrates, and the others wait for as long as it takes.
    options.lockTimeout = .seconds(86_400)
    options.programVersion = Aktify.version
    let owners = config.ownersDatabase
    let migrator = Migrator(graph: graph, configuration: owners, options: options, log: { log.info("\($0)") })
    let prepare = { @Sendable [config] in
        let health = HealthService(Database(owners), schema: config.schema)
        while let outage = try await outage(of: health, migrator, config) {
            guard waits, config.migratesOnStart else { return log.error("the schema is not known: \(outage)") }
            log.error("waiting for the database, to migrate it: \(outage)")
            try await Loop.current?.sleep(for: .seconds(1))
        }
        if config.migratesOnStart { try await config.grantMissingRights { log.info("\($0)") } }
    }
    do { try runCancellably(by: endings, prepare) } catch let interruption as Interrupted {
        log.info("told to end before it was ready: \(interruption)")
        throw ExitCode.success
    }
    return config
}

/// Brings the schema where it must be.
/// - Returns: why the database does not answer; `nil` when it does.
/// - Throws: `CommandError`, and what a migration throws.
private func outage(of health: HealthService, _ migrator: Migrator, _ config: Config) async throws -> DatabaseError? {
    do {
        do {
            try await health.check()
        } catch let error as NotReady where error.state == .behind && config.migratesOnStart {
            try await migrator.upgrade(to: "heads")
            try await health.check()
        }
        return nil
    } catch let error as NotReady {
        throw CommandError("\(error)" + (error.state == .behind ? ", or start with MIGRATE_ON_START=1" : ""))
    } catch let error as DatabaseError where error.meaning == .unavailable {
        return error
    } catch let error as DatabaseError where error.state == "42501" {
        throw CommandError("the role that serves lacks a right, aktify db grant grants it: \(error)")
    }
}
