import ArgumentParser

/// Says where the database is, and runs nothing.
struct Stamp: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say that the database is at a revision, and run nothing.")

    @OptionGroup var schema: Schema

    @Flag(help: "Forget what the database said before, also of revisions that have no file.")
    var purge = false

    @Argument(help: "Where it is.")
    var revision: String

    func run() throws {
        let migrator = try schema.migrator()
        try runCancellably { [revision, purge] in try await migrator.stamp(revision, purges: purge) }
    }
}
