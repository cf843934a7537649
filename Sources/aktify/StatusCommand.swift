import AktifyAPI
import ArgumentParser
import FastCGI
import Glibc
import Web

/// Shows how a master and its workers are.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how the master and its workers are, and what they are answering.")

    @Option(
        help: "Where the master answers (aktify serve --status-listen); else $STATUS_LISTEN.",
        transform: ListenAddress.init(_:))
    var connect: ListenAddress?

    @Flag(help: "Show it again each second, until it is interrupted.")
    var watch = false

    @Flag(help: "As JSON, with the names of php-fpm's status page.")
    var json = false

    func run() throws {
        guard let address = try connect ?? address(processEnvironment()["STATUS_LISTEN"]) else {
            throw ValidationError("Say where the master answers: --connect, or STATUS_LISTEN.")
        }
        repeat {
            let body = try FastCGIClient(address, seconds: 3).masterStatus()
            guard !json else { return print(body, terminator: "") }
            // Clears the screen, and begins at its top (ECMA-48: ED, CUP).
            if watch { print("\u{1b}[2J\u{1b}[H", terminator: "") }
            print(try StatusTable(JSON(parsing: Array(body.utf8))).text, terminator: "")
            fflush(nil)
            if watch { sleep(1) }
        } while watch
    }
}

extension FastCGIClient {
    /// What a master says of itself, as JSON.
    /// - Throws: `CommandError` when it gives another answer, and as `get` does.
    func masterStatus() throws -> String {
        let (status, body) = try get("/status?full")
        guard status == 200 else { throw CommandError("the master answers \(status): \(body)") }
        return body
    }
}
