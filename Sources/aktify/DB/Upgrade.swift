import ArgumentParser
import Migrations

/// `aktify db upgrade`: applies pending revisions.
struct Upgrade: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Apply the pending revisions.")

    @OptionGroup var schema: SchemaOptions
    @OptionGroup var migration: MigrationOptions

    @Flag(help: "Print the SQL instead of running it; the revision may be a range FROM:TO.")
    var sql = false

    @Argument(help: "The revision to upgrade to.")
    var revision = "head"

    func run() throws {
        if sql { return print(try OfflineScript(schema.scripts.graph()).upgrade(revision)) }
        let config = try loadSchemaConfig()
        let migrator = try schema.migrator(config, migration.options)
        try runCancellably { [revision] in
            try await migrator.upgrade(to: revision)
            try await config.grantMissingRights(log: logMigration)
        }
    }
}
