import AktifyAPI
import ArgumentParser
import EventLoop
import ORM

/// Fills an empty table with samples.
struct Seed: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Add the sample campaigns, if there are no campaigns.")

    func run() throws {
        let config = try loadSchemaConfig()
        let count = try Loop.run { try await seed(Database(config.database)) }
        print(count > 0 ? "Added \(count) campaigns." : "There are campaigns already: nothing was added.")
    }
}
