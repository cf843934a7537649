import AktifyAPI
import ArgumentParser
import EventLoop
import Migrations

/// Writes down the schema that the revisions make.
struct DumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Write schema.sql: the schema that the revisions make, for review; db check then compares it.",
        discussion: """
            The database must be at the head. What is written makes the same schema in an empty database, which is tried first. \
            Owners are left out, and so are their rights: only those of PUBLIC and of other roles that differ from the defaults are \
            written. Aggregates, operators, casts, text search, foreign tables, publications, event triggers and default privileges \
            cannot be written: where there are any, it fails and names them.
            """)

    @OptionGroup var schema: Schema

    @Option(name: .shortAndLong, help: "The file, instead of schema.sql in the folder; - is standard output.")
    var output: String?

    func run() throws {
        let config = try loadSchemaConfig()
        let (graph, database) = (try schema.scripts.graph(), config.database)
        let migrator = Migrator(graph: graph, configuration: database, log: { _ in })
        let text = try runCancellably {
            guard try await migrator.versions() == Set(graph.heads.map(\.id)) else {
                throw CommandError("Target database is not up to date: aktify db upgrade")
            }
            return try await SchemaFile.verifiedText(of: database)
        }
        if output == "-" { return print(text, terminator: "") }
        let file = output ?? schema.scripts.schemaFile
        try ScriptDirectory.replace(file, with: text)
        print("Wrote \(file)")
    }
}
