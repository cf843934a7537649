import AktifyAPI
import ArgumentParser
import EventLoop

/// `aktify db current`: prints the database's current revision.
struct Current: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the revision that the database is at.")

    @OptionGroup var schema: SchemaOptions

    @Flag(name: .shortAndLong, help: "Also print the revision's file, parents, message and creation date.")
    var verbose = false

    @Flag(help: "Exit with status 1 when the database is not at the head.")
    var checkHeads = false

    func run() throws {
        let graph = try schema.scripts.graph()
        let migrator = try schema.migrator()
        let versions = try Loop.run { try await migrator.versions() }
        for id in versions.sorted() { print(graph.line(of: try graph.revision(id), verbose: verbose)) }
        if checkHeads, versions != Set(graph.heads.map(\.id)) {
            throw CommandError("Database is not on all head revisions")
        }
    }
}
