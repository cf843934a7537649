import ArgumentParser

/// `aktify db stamp`: records that the database is at a revision, without running anything.
struct Stamp: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record that the database is at a revision, without running anything.")

    @OptionGroup var schema: SchemaOptions

    @Flag(help: "First clear the recorded revisions, including those without a file.")
    var purge = false

    @Argument(help: "The revision to record, or base.")
    var revision: String

    func run() throws {
        let migrator = try schema.migrator()
        try runCancellably { [revision, purge] in try await migrator.stamp(revision, purges: purge) }
    }
}
