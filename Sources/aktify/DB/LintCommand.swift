import ArgumentParser
import EventLoop
import Migrations
import ORM

/// `aktify db lint`: finds statements that are unsafe on a table in use.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Find statements in the revisions that are unsafe to run on a table in use.",
        discussion: """
            Examples are a lock that blocks reads and writes for long, and a change that breaks the running program. \
            To allow a finding, put a comment before its statement: -- lint: allow RULE REASON. The exit status is 1 \
            when there are findings.
            """)

    @OptionGroup var schema: SchemaOptions

    @Flag(help: "Connect to the database, and print the estimated row count of each table concerned.")
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
                // A table outside the search path is named with its schema, as in a statement.
                """
                SELECT replace(oid::regclass::text, '"', ''), greatest(reltuples, 0)::bigint FROM pg_class \
                WHERE relkind IN ('r', 'p')
                """)
            var sizes: [String: Int64] = [:]
            for index in 0..<result.count {
                var row = result.row(index)
                sizes[try row.next()] = try row.next()
            }
            return sizes
        }
    }
}
