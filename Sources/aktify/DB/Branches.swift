import ArgumentParser

/// Lists where branches begin.
struct Branches: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the revisions that several build on.")

    @OptionGroup var schema: Schema

    @Flag(name: .shortAndLong, help: "Print each one's file and dates too.")
    var verbose = false

    func run() throws {
        let graph = try schema.scripts.graph()
        for revision in graph.branchPoints {
            print(graph.line(of: revision, verbose: verbose))
            for id in graph.children(of: revision.id) { print("    -> \(graph.line(of: try graph.revision(id)))") }
        }
    }
}
