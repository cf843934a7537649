import ArgumentParser
import Migrations

/// Looks whether each downgrade undoes its upgrade.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Apply, undo and apply again each revision in a scratch database with rows, and compare what is there.")

    @OptionGroup var schema: Schema

    func run() throws {
        let config = try loadSchemaConfig()
        let verifier = Verifier(graph: try schema.scripts.graph(), configuration: config.database, log: { print($0) })
        let problems = try runCancellably { try await verifier.problems() }
        guard problems.isEmpty else { throw CommandError(problems.joined(separator: "\n")) }
    }
}
