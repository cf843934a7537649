import AktifyAPI
import ArgumentParser
import FastCGI
import Glibc
import Web

/// `aktify status`: shows the status report of a running master.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the status of the master and its workers, and the requests in progress.")

    @Option(
        help: ArgumentHelp(
            "The master's status address, as given to aktify serve --status-listen. (default: $STATUS_LISTEN)",
            valueName: "address"),
        transform: ListenAddress.init(_:))
    var connect: ListenAddress?

    @Flag(help: "Refresh every second, until interrupted.")
    var watch = false

    @Flag(help: "Print JSON, with the names of php-fpm's status page.")
    var json = false

    func run() throws {
        guard let address = try connect ?? address("STATUS_LISTEN", in: processEnvironment()) else {
            throw ValidationError("No status address to connect to: pass --connect, or set STATUS_LISTEN.")
        }
        repeat {
            let body = try FastCGIClient(address, seconds: 3).masterStatus()
            // Clear the screen and move the cursor to the top left (ECMA-48: ED, CUP).
            if watch, !json { print("\u{1b}[2J\u{1b}[H", terminator: "") }
            print(json ? body : try StatusTable(JSON(parsing: Array(body.utf8))).text, terminator: "")
            fflush(nil)
            if watch { sleep(1) }
        } while watch
    }
}

extension FastCGIClient {
    /// Requests the full status report of a master, in JSON.
    /// - Throws: `CommandError` when the response's status is not 200, and the errors of `get`.
    func masterStatus() throws -> String {
        let (status, body) = try get("/status?full")
        guard status == 200 else { throw CommandError("the master responded with \(status): \(body)") }
        return body
    }
}
