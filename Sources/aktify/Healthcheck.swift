import ArgumentParser
import FastCGI

/// `aktify healthcheck`: checks a running application over FastCGI.
struct Healthcheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a running application over FastCGI; the exit status is 1 when it is not healthy.")

    @Option(
        help: ArgumentHelp(
            "The address that it listens on: unix:PATH, HOST:PORT or [IPv6]:PORT. (default: $LISTEN)",
            valueName: "address"),
        transform: ListenAddress.init(_:))
    var connect: ListenAddress?

    @Option(
        help: ArgumentHelp(
            "The target to request: /healthz checks the process, /readyz also the database and its schema.",
            valueName: "path"))
    var target = "/healthz"

    @Option(help: ArgumentHelp("How long to wait for the response.", valueName: "seconds"))
    var timeout = 3

    func validate() throws {
        guard timeout >= 1 else { throw ValidationError("--timeout must be at least 1, not \(timeout).") }
        guard target.hasPrefix("/"), target.utf8.count < 128 else {
            throw ValidationError("The target must begin with a slash and be shorter than 128 bytes.")
        }
    }

    func run() throws {
        guard let address = try connect ?? address("LISTEN", in: processEnvironment()) else {
            throw ValidationError("No address to connect to: pass --connect, or set LISTEN.")
        }
        let (status, body) = try FastCGIClient(address, seconds: timeout).get(target)
        guard status == 200 else { throw CommandError("\(target) responded with \(status): \(body)") }
        print(body, terminator: "")
    }
}
