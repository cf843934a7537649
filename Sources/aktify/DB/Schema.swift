import AktifyAPI
import ArgumentParser
import Glibc
import Migrations
import ORM

/// What all commands on the schema take.
struct Schema: ParsableArguments {
    @Option(name: .shortAndLong, help: "The folder that has versions/*.sql.")
    var directory = "migrations"

    var scripts: ScriptDirectory { ScriptDirectory(directory) }

    /// A migrator on the configured database.
    func migrator(_ options: Migrator.Options = .init()) throws -> Migrator {
        try migrator(loadSchemaConfig(), options)
    }

    /// A migrator on a database.
    func migrator(_ config: Config, _ options: Migrator.Options) throws -> Migrator {
        Migrator(
            graph: try scripts.graph(), configuration: config.database, options: options, log: logMigration)
    }
}

/// Reads the configuration for a command on the schema, whose sessions are its owner's, and no programs that need it.
/// - Throws: `ConfigError`, in one line.
func loadSchemaConfig(silently isSilent: Bool = false) throws -> Config {
    var config = try loadConfig(processEnvironment(), silently: isSilent)
    config.database = config.ownersDatabase
    config.database.applicationName = "aktify db"
    return config
}

/// How careful an upgrade or a downgrade is.
struct Care: ParsableArguments {
    @Option(help: "Seconds to wait for somebody else who changes the schema.")
    var lockTimeout = 30

    @Option(help: "Seconds that a statement waits for a table that others use, before it is tried again.")
    var tableLockTimeout = 1

    @Flag(help: "Make all of it one transaction, instead of one for each revision.")
    var singleTransaction = false

    @Flag(help: "Run statements that delete what nothing can bring back.")
    var allowDataLoss = false

    @Flag(help: "Go on although files have changed since they were applied.")
    var allowChanged = false

    @Flag(help: "Run a statement again that was interrupted outside a transaction, and what follows it.")
    var again = false

    func validate() throws {
        guard lockTimeout >= 0, tableLockTimeout >= 1 else {
            throw ValidationError("--lock-timeout is 0 or more, --table-lock-timeout 1 or more.")
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

/// Writes a line of Alembic's log.
@Sendable func logMigration(_ line: String) {
    let text = "INFO  [alembic.runtime.migration] \(line)\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
}
