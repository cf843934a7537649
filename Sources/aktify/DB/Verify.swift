import ArgumentParser
import Migrations

/// `aktify db verify`: tests that each downgrade reverts its upgrade.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Test every revision in a scratch database: that its downgrade reverts its upgrade.",
        discussion: """
            Each revision is applied, reverted and applied again, with sample rows, and the schemas and rows before \
            and after are compared. The configured database is not changed. The exit status is 1 when there is a \
            problem.
            """)

    @OptionGroup var schema: SchemaOptions

    func run() throws {
        let config = try loadSchemaConfig()
        let verifier = Verifier(graph: try schema.scripts.graph(), configuration: config.database, log: { print($0) })
        let problems = try runCancellably { try await verifier.problems() }
        guard problems.isEmpty else { throw CommandError(problems.joined(separator: "\n")) }
    }
}
