import AktifyAPI
import ArgumentParser
import EventLoop
import ORM

/// `aktify db seed`: inserts sample data.
struct Seed: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Insert the sample campaigns, unless there are campaigns already.")

    func run() throws {
        let config = try loadSchemaConfig()
        let count = try Loop.run { try await seed(Database(config.database)) }
        print(count > 0 ? "Added \(count) campaigns." : "There are campaigns already: nothing was added.")
    }
}
