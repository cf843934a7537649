import ArgumentParser
import EventLoop

/// `aktify db show`: prints the details of a revision.
struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the file, parents, message and creation date of a revision.")

    @OptionGroup var schema: SchemaOptions

    @Argument(help: "The revision to show.")
    var revision: String

    func run() throws {
        let graph = try schema.scripts.graph()
        for id in try graph.resolve(revision) { print(graph.line(of: try graph.revision(id), verbose: true)) }
    }
}
