import ArgumentParser

/// `aktify db heads`: lists the heads, that is, the revisions without children.
struct Heads: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the heads: revisions without children.")

    @OptionGroup var schema: SchemaOptions

    @Flag(name: .shortAndLong, help: "Also print the file, the parents and the creation date of each revision.")
    var verbose = false

    func run() throws {
        let graph = try schema.scripts.graph()
        for revision in graph.heads { print(graph.line(of: revision, verbose: verbose)) }
    }
}
