import AktifyAPI
import ArgumentParser
import Migrations

/// `aktify db squash`: replaces a revision and its ancestors with a single revision.
struct SquashCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "squash",
        abstract: "Replace a revision and all its ancestors by a single file.",
        discussion: """
            The new file keeps the revision's id, so databases at or after it are not affected. A database at an \
            earlier squashed revision must first be upgraded with a program that still has its file. Before anything \
            is written, the schema and the rows (up to 1000 per table) that the new file produces in a scratch \
            database are compared with those of the old files. Its downgrade drops everything. Changes of roles, \
            databases and settings cannot be squashed; -- verify and -- fixtures sections are left out.
            """)

    @OptionGroup var schema: SchemaOptions

    @Argument(help: "The last revision to squash.")
    var revision: String

    func run() throws {
        let graph = try schema.scripts.graph()
        let ids = try graph.resolve(revision)
        guard ids.count == 1 else { throw CommandError("squash requires exactly one revision, not \(ids.count)") }
        let config = try loadSchemaConfig()
        let squash = try Squash(graph, upTo: ids[0], configuration: config.database)
        let baseline = try runCancellably { try await squash.baseline() }
        let file = try schema.scripts.replace(baseline.replaced, with: baseline)
        for old in baseline.replaced where old.file != file { print("  Deleted \(old.file)") }
        let trials = baseline.filesWithVerification
        if !trials.isEmpty { print("  Left out -- verify and -- fixtures of \(trials.joined(separator: ", "))") }
        print("  Squashed \(baseline.replaced.count) revisions into \(file)")
    }
}
