import AktifyAPI
import ArgumentParser
import EventLoop
import Migrations
import Web

/// `aktify db check`: checks that the revisions, the database and the models agree.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check that the revisions, the database and the models agree, for example in CI.",
        discussion: """
            It checks that there is exactly one head, that the database is at it, that applied revision files are \
            unchanged, that their -- verify queries return true, that no index or constraint is invalid, that \
            schema.sql is up to date, that the lint has no findings, and that the models and the database do not \
            differ. The exit status is 1 when there is a problem.

            \(Autogeneration.limits)
            """)

    @OptionGroup var schema: SchemaOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let graph = try schema.scripts.graph()
        var problems: [String] = []
        if graph.heads.count > 1 {
            problems.append("there are several heads: \(graph.heads.map(\.id).joined(separator: ", "))")
        }
        problems += graph.revisions.flatMap(Lint.findings).map { "\($0)\($0.safeFormBelow)" }
        let (others, differences) = try databaseProblems(graph)
        problems += others + differences
        if json { return try printJSON(problems) }
        let advice = differences.isEmpty ? [] : [Check.advice]
        guard problems.isEmpty else { throw CommandError((problems + advice).joined(separator: "\n")) }
        print("No new upgrade operations detected.")
    }

    private static let advice =
        "Generate a revision that makes the database agree with the models: aktify db migrate -m \"...\""

    /// Returns the problems of the database, such as pending revisions or invalid indexes, and separately the
    /// differences between the database and the models.
    private func databaseProblems(_ graph: RevisionGraph) throws -> (problems: [String], differences: [String]) {
        let config = try loadSchemaConfig()
        let migrator = Migrator(graph: graph, configuration: config.database, log: { _ in })
        let heads = graph.heads.map(\.id)
        return try Loop.run {
            var problems: [String] = []
            let versions = try await migrator.versions()
            if versions != Set(heads) {
                let current = versions.isEmpty ? "base" : versions.sorted().joined(separator: ", ")
                problems.append(
                    "the database is at \(current), not at \(heads.joined(separator: ", ")): aktify db upgrade")
            }
            problems += try await migrator.changedFiles().map { "\($0) was changed after it had been applied" }
            problems += try await migrator.failedVerifications()
            problems += try await SchemaDefects.found(in: config.database)
            if versions == Set(heads), let problem = try await staleSchema(config) { problems.append(problem) }
            return (problems, try await Differences.changes(from: config.database, to: metadata).summaries)
        }
    }

    /// Returns how `schema.sql` differs from the database's schema; `nil` when they do not differ, or the file does not
    /// exist.
    private func staleSchema(_ config: Config) async throws -> String? {
        guard let written = try schema.scripts.schemaText() else { return nil }
        do {
            let text = try await SchemaFile.text(of: config.database)
            return SchemaFile.difference(of: text, from: written).map {
                "\(schema.scripts.schemaFile) differs from the database's schema: aktify db dump\n\($0)"
            }
        } catch let error as MigrationFailed { return "\(schema.scripts.schemaFile) cannot be compared: \(error)" }
    }

    private func printJSON(_ problems: [String]) throws {
        aktify.printJSON { json in
            json.member("ok", problems.isEmpty)
            json.member("problems", problems)
        }
        guard problems.isEmpty else { throw ExitCode(1) }
    }
}
