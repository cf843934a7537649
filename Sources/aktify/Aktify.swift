import AktifyAPI
import ArgumentParser
import Glibc

/// The command line: one file a command.
@main
struct Aktify: ParsableCommand {
    /// What the program calls itself in its own records.
    static let version = Release.version

    static let configuration = CommandConfiguration(
        commandName: "aktify",
        abstract: "The Aktify Code Challenge API: a FastCGI application behind nginx.",
        version: version,
        subcommands: [
            Serve.self, WorkerCommand.self, Reload.self, Stop.self, StatusCommand.self, Healthcheck.self, DB.self,
            Routes.self, Explain.self, Key.self,
        ])

    /// Ends with 0, with 1 when something is wrong, and with 2 when the command line is, as Alembic does; a command may say another number.
    static func main() {
        do {
            var command = try parseAsRoot(arguments(Array(CommandLine.arguments.dropFirst())))
            try command.run()
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if !text.isEmpty {
                if code == .success { print(text) } else { complain(text) }
            }
            Glibc.exit(code == .validationFailure ? 2 : code.rawValue)
        }
    }

    private static func complain(_ text: String) {
        let line = text + "\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }

    /// `-1` is a revision here, and no option: it goes to the end, behind `--`.
    private static func arguments(_ arguments: [String]) -> [String] {
        let steps = arguments.filter { $0.wholeMatch(of: /-\d+/) != nil }
        guard !steps.isEmpty, !arguments.contains("--") else { return arguments }
        return arguments.filter { !steps.contains($0) } + ["--"] + steps
    }
}
