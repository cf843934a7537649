import ArgumentParser
import FastCGI

/// Asks the application over FastCGI whether it is well.
struct Healthcheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the application over FastCGI whether it is well; end with 1 when it is not.")

    @Option(
        help: "Where it listens: unix:PATH, HOST:PORT or [IPv6]:PORT; else $LISTEN.", transform: ListenAddress.init(_:))
    var connect: ListenAddress?

    @Option(help: "What to ask: /healthz for the process, /readyz for the database and its schema too.")
    var target = "/healthz"

    @Option(help: "Seconds to wait.")
    var timeout = 3

    func validate() throws {
        guard timeout >= 1 else { throw ValidationError("--timeout must be 1 or more, not \(timeout).") }
        guard target.hasPrefix("/"), target.utf8.count < 128 else {
            throw ValidationError("The target begins with a slash, and has less than 128 bytes.")
        }
    }

    func run() throws {
        guard let address = try connect ?? address(processEnvironment()["LISTEN"]) else {
            throw ValidationError("Say where it listens: --connect, or LISTEN.")
        }
        let (status, body) = try FastCGIClient(address, seconds: timeout).get(target)
        guard status == 200 else { throw CommandError("\(target) answers \(status): \(body)") }
        print(body, terminator: "")
    }
}
