import ArgumentParser

/// The command line: one file a command.
@main
struct Aktify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aktify",
        abstract: "The Aktify Code Challenge API: a FastCGI application behind nginx.",
        subcommands: [Serve.self, DB.self, Routes.self, Explain.self])
}
