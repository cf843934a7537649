import ArgumentParser
import Glibc

/// `aktify db edit`: opens a revision file in an editor.
struct Edit: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Open a revision file in $EDITOR, or in vi.")

    @OptionGroup var schema: SchemaOptions

    @Argument(help: "The revision to edit.")
    var revision = "head"

    func run() throws {
        let graph = try schema.scripts.graph()
        guard let id = try graph.resolve(revision).first else { throw CommandError("\(revision) has no file") }
        let editor = processEnvironment()["EDITOR"].flatMap { $0.isEmpty ? nil : $0 } ?? "vi"
        // The shell splits EDITOR, which may contain arguments, as other programs allow.
        let command = ["sh", "-c", "exec \(editor) \"$1\"", "sh", try graph.revision(id).file]
        var arguments = command.map { strdup($0) } + [nil]
        execv("/bin/sh", &arguments)
        throw CommandError("cannot start \(editor): \(String(cString: strerror(errno)))")
    }
}
