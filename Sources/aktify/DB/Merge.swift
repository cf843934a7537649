import ArgumentParser
import Migrations

/// Makes one head of several.
struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write a revision that makes several heads one.")

    @OptionGroup var schema: Schema

    @Option(name: .shortAndLong, help: "What it is for.")
    var message = "merge heads"

    @Option(help: "Its id, instead of a random one.")
    var revId: String?

    @Argument(help: "The heads; `heads` is all of them.")
    var revisions = ["heads"]

    func run() throws {
        let graph = try schema.scripts.graph()
        let parents = try revisions.flatMap { text throws in try graph.resolve(text) }
        guard Set(parents).count > 1 else { throw CommandError("there is nothing to merge: say two revisions or more") }
        for parent in parents {
            guard try !graph.closure(of: parents.filter { $0 != parent }).contains(parent) else {
                throw CommandError("\(parent) is behind another of them already: there is nothing to merge")
            }
        }
        try schema.write(NewRevision(message: message, id: revId, parents: parents), among: graph)
    }
}
