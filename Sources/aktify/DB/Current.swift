import AktifyAPI
import ArgumentParser
import EventLoop

/// Tells where the database is.
struct Current: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the database's revision.")

    @OptionGroup var schema: Schema

    @Flag(name: .shortAndLong, help: "Print its file and its message too.")
    var verbose = false

    @Flag(help: "End with 1 when the database is not at the head.")
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
