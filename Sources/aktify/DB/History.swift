import ArgumentParser
import EventLoop
import Migrations

/// `aktify db history`: lists the revisions.
struct History: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the revisions, newest first.")

    @OptionGroup var schema: SchemaOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Only the revisions from FROM to TO, inclusive; either may be omitted, and may be current.",
            valueName: "FROM:TO"))
    var revRange: String?

    @Flag(name: .shortAndLong, help: "Also print the file, the parents and the creation date of each revision.")
    var verbose = false

    @Flag(name: .shortAndLong, help: "Mark the revision that the database is at.")
    var indicateCurrent = false

    func run() throws {
        let graph = try schema.scripts.graph()
        // +1 and -1 count from the revision that the database is at.
        let range = revRange?.replacing(/(^|:)(?=[+-])/) { "\($0.1)current" }
        let current = indicateCurrent || range?.contains("current") == true ? try versions() : []
        for revision in try graph.history(range, current: current).reversed() {
            let mark = indicateCurrent && current.contains(revision.id) ? " (current)" : ""
            print(graph.historyLine(of: revision, mark: mark, verbose: verbose))
        }
    }

    private func versions() throws -> Set<String> {
        let migrator = try schema.migrator()
        return try Loop.run { try await migrator.versions() }
    }
}
