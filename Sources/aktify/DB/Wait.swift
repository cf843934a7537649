import ArgumentParser
import EventLoop
import ORM

/// `aktify db wait`: waits until the database accepts connections.
struct Wait: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Wait until the database accepts connections and responds to a query.")

    @Option(help: ArgumentHelp("How long to wait before failing.", valueName: "seconds"))
    var timeout = 30

    func run() throws {
        let config = try loadSchemaConfig(silently: true)
        try Loop.run { [timeout] in
            guard let loop = Loop.current else { preconditionFailure("Loop.run sets the current loop") }
            let database = Database(config.database)
            let deadline = Instant.now.advanced(by: .seconds(timeout))
            while true {
                do {
                    _ = try await database.read("SELECT 1")
                    return
                } catch let error where Instant.now >= deadline {
                    throw CommandError("the database did not respond within \(timeout) s: \(error)")
                } catch {
                    try await loop.sleep(for: .milliseconds(200))
                }
            }
        }
    }
}
