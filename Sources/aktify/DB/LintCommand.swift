import ArgumentParser
import EventLoop
import Migrations
import ORM

/// Looks for what hurts a table that is in use.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint", abstract: "Look for what hurts a table that is in use while the schema changes.",
        discussion: "A finding that is right all the same is waived before its statement: -- lint: allow RULE WHY")

    @OptionGroup var schema: Schema

    @Flag(help: "Say how many rows the tables have in the configured database.")
    var connected = false

    func run() throws {
        let findings = try schema.scripts.graph().revisions.flatMap(Lint.findings)
        let sizes = connected ? try tableSizes() : [:]
        for finding in findings {
            let size =
                finding.table.flatMap { sizes[$0] }.map { " (\(finding.table ?? "") has about \($0) rows)" } ?? ""
            print("\(finding)\(size)\(finding.safeFormBelow)")
        }
        guard findings.isEmpty else { throw ExitCode(1) }
    }

    private func tableSizes() throws -> [String: Int64] {
        let config = try loadSchemaConfig()
        return try Loop.run {
            let result = try await Database(config.database).read(
                "SELECT relname::text, greatest(reltuples, 0)::bigint FROM pg_class WHERE relkind IN ('r', 'p')")
            var sizes: [String: Int64] = [:]
            for index in 0..<result.count {
                var row = result.row(index)
                sizes[try row.next()] = try row.next()
            }
            return sizes
        }
    }
}
