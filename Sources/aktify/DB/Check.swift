import AktifyAPI
import ArgumentParser
import EventLoop
import Migrations
import Web

/// The gate of a build: whether revisions, database and models agree.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Check that there is one head, the database is at it, files and models agree, verifications are true, indexes and constraints are valid, and lint is silent.",
        discussion: Autogeneration.limits)

    @OptionGroup var schema: Schema

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
        let advice = differences.isEmpty ? [] : ["Write what makes the database agree with the models: \(Check.advice)"]
        guard problems.isEmpty else { throw CommandError((problems + advice).joined(separator: "\n")) }
        print("No new upgrade operations detected.")
    }

    private static let advice = "aktify db migrate -m \"...\""

    /// What is wrong with the database, and how it differs from the models.
    private func databaseProblems(_ graph: RevisionGraph) throws -> (problems: [String], differences: [String]) {
        let config = try loadSchemaConfig()
        let migrator = Migrator(graph: graph, configuration: config.database, log: { _ in })
        let heads = graph.heads.map(\.id)
        return try Loop.run {
            var problems: [String] = []
            let versions = try await migrator.versions()
            if versions != Set(heads) {
                let place = versions.isEmpty ? "base" : versions.sorted().joined(separator: ", ")
                problems.append(
                    "the database is at \(place), not at \(heads.joined(separator: ", ")): aktify db upgrade")
            }
            problems += try await migrator.changedFiles().map { "\($0) was changed after it had been applied" }
            problems += try await migrator.failedVerifications()
            problems += try await SchemaDefects.found(in: config.database)
            if versions == Set(heads), let problem = try await staleSchema(config) { problems.append(problem) }
            return (problems, try await Differences.changes(from: config.database, to: metadata).summaries)
        }
    }

    /// How the written schema differs from the database's; `nil` when there is none, or it does not.
    private func staleSchema(_ config: Config) async throws -> String? {
        guard let written = try schema.scripts.schemaText() else { return nil }
        do {
            let text = try await SchemaFile.text(of: config.database)
            return SchemaFile.difference(of: text, from: written).map {
                "\(schema.scripts.schemaFile) is not what the database holds: aktify db dump\n\($0)"
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
