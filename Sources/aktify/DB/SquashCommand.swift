import AktifyAPI
import ArgumentParser
import Migrations

/// Makes one revision of many.
struct SquashCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "squash",
        abstract: "Put one file in the place of a revision and all that it builds on.",
        discussion: """
            The file keeps the revision's id: databases that are there or later notice nothing. One that stands at a squashed revision \
            must be upgraded by a program that has its file. What the new file makes, rows included (1000 a table), is compared with \
            what the old ones make, in scratch databases, before anything is written; its downgrade drops all of it. \
            What revisions do to roles, databases and settings cannot be squashed; their -- verify and -- fixtures are left out.
            """)

    @OptionGroup var schema: Schema

    @Argument(help: "The last revision that is squashed.")
    var revision: String

    func run() throws {
        let graph = try schema.scripts.graph()
        let ids = try graph.resolve(revision)
        guard ids.count == 1 else { throw CommandError("squash takes one revision") }
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
