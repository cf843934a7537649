import AktifyAPI
import ArgumentParser
import Migrations

/// `aktify db revision`: writes the file of a new revision.
struct RevisionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revision", abstract: "Write a new, empty revision file.")

    @OptionGroup var schema: SchemaOptions

    @Option(name: .shortAndLong, help: "The revision's message.")
    var message: String

    @Flag(help: "Fill in the changes that make the database agree with the models.")
    var autogenerate = false

    @Option(help: ArgumentHelp("The revision's id. (default: a random one)", valueName: "id"))
    var revId: String?

    @Option(help: ArgumentHelp("The parent revision.", valueName: "revision"))
    var head = "head"

    @Option(
        help: ArgumentHelp(
            """
            Mark the revision as breaking, for this reason: programs that do not know it report that they are not \
            ready once it is applied.
            """, valueName: "reason"))
    var breaking: String?

    @Flag(help: "Allow a parent that is not a head, which creates a branch.")
    var splice = false

    func run() throws {
        let graph = try schema.scripts.graph()
        let parents = try graph.resolve(head)
        if !splice, let other = parents.first(where: { id in !graph.heads.contains { $0.id == id } }) {
            throw CommandError(
                "Revision \(other) is not a head revision; please specify --splice to create a new branch from this revision"
            )
        }
        let new = NewRevision(message: message, id: revId, parents: parents, breaking: breaking)
        if autogenerate { try generate(new, graph) } else { try schema.write(new, to: graph) }
    }

    private func generate(_ new: NewRevision, _ graph: RevisionGraph) throws {
        guard let filled = try Autogeneration(schema, graph).fill(new) else {
            return logMigration("No changes in schema detected.")
        }
        try schema.write(filled, to: graph)
    }
}

/// `aktify db migrate`: short for `aktify db revision --autogenerate`.
struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Generate a revision that makes the database agree with the models (db revision --autogenerate).",
        discussion: Autogeneration.limits)

    @OptionGroup var schema: SchemaOptions

    @Option(name: .shortAndLong, help: "The revision's message.")
    var message: String

    @Option(help: ArgumentHelp("The revision's id. (default: a random one)", valueName: "id"))
    var revId: String?

    @Option(
        help: ArgumentHelp(
            """
            Mark the revision as breaking, for this reason: programs that do not know it report that they are not \
            ready once it is applied.
            """, valueName: "reason"))
    var breaking: String?

    func run() throws {
        var command = RevisionCommand()
        command.schema = schema
        command.message = message
        command.autogenerate = true
        command.revId = revId
        command.head = "head"
        command.breaking = breaking
        command.splice = false
        try command.run()
    }
}
