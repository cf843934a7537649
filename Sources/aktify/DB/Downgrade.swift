import ArgumentParser
import Migrations

/// Undoes what was applied.
struct Downgrade: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Undo revisions: one, unless told otherwise.")

    @OptionGroup var schema: Schema
    @OptionGroup var care: Care

    @Flag(help: "Print the SQL, and run nothing; REV must be FROM:TO.")
    var sql = false

    @Argument(help: "How far: the revision that is kept, or base.")
    var revision = "-1"

    func run() throws {
        if sql { return print(try OfflineScript(schema.scripts.graph()).downgrade(revision)) }
        let config = try loadSchemaConfig()
        let migrator = try schema.migrator(config, care.options)
        try runCancellably { [revision] in
            try await migrator.downgrade(to: revision)
            try await config.grantMissingRights(log: logMigration)
        }
    }
}
