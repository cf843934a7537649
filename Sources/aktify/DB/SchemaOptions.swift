import AktifyAPI
import ArgumentParser
import Glibc
import Migrations
import ORM

/// The options that all migration commands share.
struct SchemaOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The migrations directory, with versions/*.sql.", valueName: "directory"))
    var directory = "migrations"

    var scripts: ScriptDirectory { ScriptDirectory(directory) }

    /// Creates a migrator for the configured database.
    func migrator(_ options: Migrator.Options = .init()) throws -> Migrator {
        try migrator(loadSchemaConfig(), options)
    }

    /// Creates a migrator for the database of `config`.
    func migrator(_ config: Config, _ options: Migrator.Options) throws -> Migrator {
        Migrator(
            graph: try scripts.graph(), configuration: config.database, options: options, log: logMigration)
    }
}

/// Loads the configuration for a command that connects as the owner of the schema. The command's sessions have the
/// `application_name` `aktify db`, so that a migration does not mistake them for the sessions of a worker.
/// - Throws: `ConfigError`, whose description is one line.
func loadSchemaConfig(silently isSilent: Bool = false) throws -> Config {
    var config = try loadConfig(processEnvironment(), silently: isSilent)
    config.database = config.ownersDatabase
    config.database.applicationName = "aktify db"
    return config
}

/// The options that upgrades and downgrades share.
struct MigrationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long to wait for another migration that holds the migration lock.", valueName: "seconds"))
    var lockTimeout = 30

    @Option(
        help: ArgumentHelp(
            "How long a statement may wait for a table lock before it is cancelled and retried.", valueName: "seconds"))
    var tableLockTimeout = 1

    @Flag(help: "Run all revisions in a single transaction, instead of one transaction each.")
    var singleTransaction = false

    @Flag(help: "Allow statements that irrecoverably delete data.")
    var allowDataLoss = false

    @Flag(help: "Continue even if revision files were changed after they had been applied.")
    var allowChanged = false

    @Flag(help: "Rerun the statement that was interrupted outside a transaction, and continue from there.")
    var again = false

    func validate() throws {
        // Postgres accepts a lock_timeout of up to 2147483647 ms.
        guard (0...2_147_483).contains(lockTimeout), (1...2_147_483).contains(tableLockTimeout) else {
            throw ValidationError("--lock-timeout must be 0 to 2147483, and --table-lock-timeout 1 to 2147483.")
        }
    }

    var options: Migrator.Options {
        var options = Migrator.Options()
        options.lockTimeout = .seconds(lockTimeout)
        options.tableLockTimeout = .seconds(tableLockTimeout)
        options.isOneTransaction = singleTransaction
        options.allowsDataLoss = allowDataLoss
        options.allowsChangedFiles = allowChanged
        options.rerunsInterruptedStatements = again
        options.programVersion = Aktify.version
        return options
    }
}

/// Prints progress to standard error, in the format of Alembic's log.
@Sendable func logMigration(_ line: String) {
    let text = "INFO  [alembic.runtime.migration] \(line)\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
}
