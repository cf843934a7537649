import AktifyAPI
import ArgumentParser
import EventLoop
import Migrations

/// `aktify db dump`: writes the schema of the database to `schema.sql`.
struct DumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Write the schema that the revisions produce to schema.sql, for review and for db check.",
        discussion: """
            The database must be at the head. The file recreates the same schema in an empty database, which is tested \
            before it is written. Owners and their privileges are left out; the privileges of PUBLIC and other roles are \
            included where they differ from the defaults. Aggregates, operators, casts, text search objects, foreign \
            tables, publications, event triggers and default privileges are not supported: if there are any, the \
            command fails and lists them.
            """)

    @OptionGroup var schema: SchemaOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The file to write; - is standard output. (default: schema.sql in the migrations directory)",
            valueName: "file"))
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
