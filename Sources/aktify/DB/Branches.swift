import ArgumentParser

/// `aktify db branches`: lists the branch points, that is, the revisions with more than one child.
struct Branches: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the branch points: revisions with more than one child.")

    @OptionGroup var schema: SchemaOptions

    @Flag(name: .shortAndLong, help: "Also print the file, the parents and the creation date of each revision.")
    var verbose = false

    func run() throws {
        let graph = try schema.scripts.graph()
        for revision in graph.branchPoints {
            print(graph.line(of: revision, verbose: verbose))
            for id in graph.children(of: revision.id) { print("    -> \(graph.line(of: try graph.revision(id)))") }
        }
    }
}
