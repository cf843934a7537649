import AktifyAPI
import ArgumentParser
import EventLoop
import Logging
import Migrations
import ORM
import Scoreboard

/// Checks that the program is compatible with the schema, after migrating the schema when `MIGRATE_ON_START` is set. An
/// unavailable database is not an error: requests that need the database get 503 until it responds.
/// - Parameters:
///   - signals: the signals that interrupt the preparation; a migration in progress is rolled back.
///   - slot: the slot of a worker that has a master, in which the worker publishes heartbeats while it migrates.
///     Without a slot, and with `MIGRATE_ON_START`, this process waits until the database is available.
/// - Returns: the configuration, with the expected revisions and the `application_name` of the connections filled in.
/// - Throws: `CommandError`, the errors of a migration, and `ExitCode.success` when one of `signals` interrupts
///   the preparation.
func prepareSchema(_ graph: RevisionGraph, _ config: Config, signals: [Int32], slot: Slot?, log: Logger) throws
    -> Config
{
    var config = config
    let heads = Set(graph.heads.map(\.id))
    config.schema = SchemaCheck(heads: heads, revisions: graph.knownIDs)
    config.database.applicationName = ProgramName(version: Aktify.version, heads: heads).text
    var options = Migrator.Options()
    // When several processes start together, one migrates, and the others wait for as long as that takes.
    options.lockTimeout = .seconds(86_400)
    options.programVersion = Aktify.version
    let database = config.ownersDatabase
    let migrator = Migrator(graph: graph, configuration: database, options: options, log: { log.info("\($0)") })
    let prepare = { @Sendable [config] in
        let health = HealthService(Database(database), schema: config.schema)
        while let outage = try await outage(of: health, migrator, config, slot) {
            guard slot == nil, config.migratesOnStart else { return log.error("cannot check the schema: \(outage)") }
            log.error("waiting for the database before migrating it: \(outage)")
            try await Loop.current?.sleep(for: .seconds(1))
        }
        if config.migratesOnStart { try await config.grantMissingRights { log.info("\($0)") } }
    }
    do { try runCancellably(by: signals, prepare) } catch let interruption as Interrupted {
        log.info("the process was terminated before it was ready: \(interruption)")
        throw ExitCode.success
    }
    return config
}

/// Checks the schema, after migrating it when revisions are pending and `MIGRATE_ON_START` is set.
/// - Returns: the error when the database is unavailable; `nil` when the schema is compatible.
/// - Throws: `CommandError` when the schema is incompatible or a privilege is missing, and the errors of a migration.
private func outage(
    of health: HealthService, _ migrator: Migrator, _ config: Config, _ slot: Slot?
) async throws -> DatabaseError? {
    do {
        do {
            try await health.check()
        } catch let error as NotReady where error.state == .behind && config.migratesOnStart {
            let heartbeats = slot.map(publishHeartbeats(in:))
            defer { heartbeats?.cancel() }
            try await migrator.upgrade(to: "heads")
            try await health.check()
        }
        return nil
    } catch let error as NotReady {
        throw CommandError("\(error)" + (error.state == .behind ? ", or start with MIGRATE_ON_START=1" : ""))
    } catch let error as DatabaseError where error.meaning == .unavailable {
        return error
    } catch let error as DatabaseError where error.state == "42501" {
        throw CommandError("the serving role lacks a privilege: run aktify db grant: \(error)")
    }
}

/// Publishes heartbeats until the task is cancelled, so that the master extends the worker's startup timeout.
private func publishHeartbeats(in slot: Slot) -> Task<Void, any Error> {
    guard let loop = Loop.current else { preconditionFailure("a worker migrates on an event loop") }
    return Task(executorPreference: loop) {
        while true {
            slot[.lastTurn] = Int(Instant.now.nanoseconds)
            try await loop.sleep(for: .milliseconds(250))
        }
    }
}
