import ArgumentParser

/// Lists the heads.
struct Heads: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the revisions that none builds on.")

    @OptionGroup var schema: Schema

    @Flag(name: .shortAndLong, help: "Print each one's file and dates too.")
    var verbose = false

    func run() throws {
        let graph = try schema.scripts.graph()
        for revision in graph.heads { print(graph.line(of: revision, verbose: verbose)) }
    }
}
