import AktifyAPI
import ArgumentParser
import Glibc

/// The `aktify` command. Each subcommand has its own file.
@main
struct Aktify: ParsableCommand {
    /// The program's version: printed by `--version`, logged, and recorded with each migration.
    static let version = Release.version

    static let configuration = CommandConfiguration(
        commandName: "aktify",
        abstract: "The Aktify Code Challenge API: a FastCGI application that runs behind nginx.",
        discussion: """
            Configuration is read from environment variables (aktify serve can also read them from --env-file). Exit \
            status: 0 on success, 1 on failure, 2 when the command line is invalid.
            """,
        version: version,
        subcommands: [
            Serve.self, WorkerCommand.self, Reload.self, Stop.self, StatusCommand.self, Healthcheck.self, DB.self,
            Routes.self, Explain.self, Key.self,
        ])

    /// Runs the command. As with Alembic, the exit status is 0 on success, 1 on failure and 2 for an invalid command
    /// line; a command may choose another one by throwing `ExitCode`.
    static func main() {
        do {
            var command = try parseAsRoot(arguments(Array(CommandLine.arguments.dropFirst())))
            try command.run()
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if !text.isEmpty {
                if code == .success { print(text) } else { printError(text) }
            }
            Glibc.exit(code == .validationFailure ? 2 : code.rawValue)
        }
    }

    private static func printError(_ text: String) {
        let line = text + "\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }

    /// Moves arguments that are relative revisions, such as `-1`, to the end, after `--`, so that they are not parsed
    /// as options.
    private static func arguments(_ arguments: [String]) -> [String] {
        let revisions = arguments.filter { $0.wholeMatch(of: /-\d+/) != nil }
        guard !revisions.isEmpty, !arguments.contains("--") else { return arguments }
        return arguments.filter { !revisions.contains($0) } + ["--"] + revisions
    }
}
