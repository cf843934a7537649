import ArgumentParser
import Glibc

/// Opens a revision's file.
struct Edit: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Open a revision's file in $EDITOR.")

    @OptionGroup var schema: Schema

    @Argument(help: "Which one.")
    var revision = "head"

    func run() throws {
        let graph = try schema.scripts.graph()
        guard let id = try graph.resolve(revision).first else { throw CommandError("\(revision) has no file") }
        let editor = processEnvironment()["EDITOR"].flatMap { $0.isEmpty ? nil : $0 } ?? "vi"
        // The shell, so that EDITOR may have arguments, as other programs allow.
        let words = ["sh", "-c", "exec \(editor) \"$1\"", "sh", try graph.revision(id).file]
        var arguments = words.map { strdup($0) } + [nil]
        execv("/bin/sh", &arguments)
        throw CommandError("cannot start \(editor): \(String(cString: strerror(errno)))")
    }
}
