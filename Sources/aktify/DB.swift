import ArgumentParser
import EventLoop
import Glibc
import Migrations

/// Commands on the database's schema.
struct DB: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "Migrate the database's schema.", subcommands: [Upgrade.self])

    /// Applies what is pending.
    struct Upgrade: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply every revision that the database lacks.")

        @Option(name: .shortAndLong, help: "The folder that has versions/*.sql.")
        var directory = "migrations"

        func run() throws {
            let config = try loadConfig(processEnvironment())
            let migrator = Migrator(graph: try ScriptDirectory(directory).graph(), configuration: config.database) {
                line in
                let text = "INFO  [aktify.migration] \(line)\n"
                _ = write(STDERR_FILENO, text, text.utf8.count)
            }
            try Loop.run { try await migrator.upgrade() }
        }
    }
}
