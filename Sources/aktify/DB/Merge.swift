import ArgumentParser
import Migrations

/// `aktify db merge`: writes a merge revision, which joins several heads.
struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write a merge revision, which joins several heads.")

    @OptionGroup var schema: SchemaOptions

    @Option(name: .shortAndLong, help: "The revision's message.")
    var message = "merge heads"

    @Option(help: ArgumentHelp("The revision's id. (default: a random one)", valueName: "id"))
    var revId: String?

    @Argument(help: "The revisions to merge; heads stands for all heads.")
    var revisions = ["heads"]

    func run() throws {
        let graph = try schema.scripts.graph()
        var parents: [String] = []
        for text in revisions { parents += try graph.resolve(text).filter { !parents.contains($0) } }
        guard parents.count > 1 else {
            throw CommandError("there is nothing to merge: name at least two revisions")
        }
        for parent in parents {
            guard try !graph.closure(of: parents.filter { $0 != parent }).contains(parent) else {
                throw CommandError("\(parent) is an ancestor of another of the revisions: there is nothing to merge")
            }
        }
        try schema.write(NewRevision(message: message, id: revId, parents: parents), to: graph)
    }
}
