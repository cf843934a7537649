import AktifyAPI
import ArgumentParser
import Migrations

/// Writes a new revision's file.
struct RevisionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revision", abstract: "Write a new revision's file, to be filled in.")

    @OptionGroup var schema: Schema

    @Option(name: .shortAndLong, help: "What it is for.")
    var message: String

    @Flag(help: "Fill it in: with what the models have and the database has not.")
    var autogenerate = false

    @Option(help: "Its id, instead of a random one.")
    var revId: String?

    @Option(help: "What it builds on.")
    var head = "head"

    @Option(
        help:
            "Why programs that do not know it cannot work with the schema: they are not ready any more once it is applied."
    )
    var breaking: String?

    @Flag(help: "Let it build on a revision that is no head, and so begin a branch.")
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
        if autogenerate { try generate(new, graph) } else { try schema.write(new, among: graph) }
    }

    private func generate(_ new: NewRevision, _ graph: RevisionGraph) throws {
        guard let filled = try Autogeneration(schema, graph).filled(new) else {
            return logMigration("No changes in schema detected.")
        }
        try schema.write(filled, among: graph)
    }
}

/// Writes a revision's file with what the models have and the database has not: `revision --autogenerate`.
struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a revision with what the models have and the database has not.",
        discussion: Autogeneration.limits)

    @OptionGroup var schema: Schema

    @Option(name: .shortAndLong, help: "What it is for.")
    var message: String

    @Option(help: "Its id, instead of a random one.")
    var revId: String?

    @Option(help: "Why programs that do not know it cannot work with the schema.")
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
