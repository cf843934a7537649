import ArgumentParser
import EventLoop

/// Shows one revision.
struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print a revision's file and dates.")

    @OptionGroup var schema: Schema

    @Argument(help: "Which one.")
    var revision: String

    func run() throws {
        let graph = try schema.scripts.graph()
        for id in try graph.resolve(revision) { print(graph.line(of: try graph.revision(id), verbose: true)) }
    }
}
