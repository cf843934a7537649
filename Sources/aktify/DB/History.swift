import ArgumentParser
import EventLoop
import Migrations

/// Lists the revisions.
struct History: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the revisions, the newest first.")

    @OptionGroup var schema: Schema

    @Option(name: .shortAndLong, help: "FROM:TO, both included; either may be left out.")
    var revRange: String?

    @Flag(name: .shortAndLong, help: "Print each one's file and dates too.")
    var verbose = false

    @Flag(name: .shortAndLong, help: "Mark the database's revision.")
    var indicateCurrent = false

    func run() throws {
        let graph = try schema.scripts.graph()
        let current = indicateCurrent || revRange?.contains("current") == true ? try versions() : []
        for revision in try graph.history(revRange, current: current).reversed() {
            let mark = indicateCurrent && current.contains(revision.id) ? " (current)" : ""
            print(graph.step(of: revision, mark: mark, verbose: verbose))
        }
    }

    private func versions() throws -> Set<String> {
        let migrator = try schema.migrator()
        return try Loop.run { try await migrator.versions() }
    }
}
