import ArgumentParser
import Migrations

/// `aktify db downgrade`: reverts applied revisions.
struct Downgrade: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Revert applied revisions: by default, the latest one.")

    @OptionGroup var schema: SchemaOptions
    @OptionGroup var migration: MigrationOptions

    @Flag(help: "Print the SQL instead of running it; the revision must be a range FROM:TO.")
    var sql = false

    @Argument(help: "The revision to go back to, which stays applied, or base.")
    var revision = "-1"

    func run() throws {
        if sql { return print(try OfflineScript(schema.scripts.graph()).downgrade(revision)) }
        let config = try loadSchemaConfig()
        let migrator = try schema.migrator(config, migration.options)
        try runCancellably { [revision] in
            try await migrator.downgrade(to: revision)
            try await config.grantMissingRights(log: logMigration)
        }
    }
}
