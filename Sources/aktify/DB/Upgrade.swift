import ArgumentParser
import Migrations

/// Applies what is pending.
struct Upgrade: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Apply the revisions that the database lacks.")

    @OptionGroup var schema: Schema
    @OptionGroup var care: Care

    @Flag(help: "Print the SQL, and run nothing; REV may be FROM:TO.")
    var sql = false

    @Argument(help: "How far.")
    var revision = "head"

    func run() throws {
        if sql { return print(try OfflineScript(schema.scripts.graph()).upgrade(revision)) }
        let config = try loadSchemaConfig()
        let migrator = try schema.migrator(config, care.options)
        try runCancellably { [revision] in
            try await migrator.upgrade(to: revision)
            try await config.grantMissingRights(log: logMigration)
        }
    }
}
