import ArgumentParser
import EventLoop
import ORM

/// Waits for the database.
struct Wait: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Wait until the database answers.")

    @Option(help: "Seconds to wait.")
    var timeout = 30

    func run() throws {
        let config = try loadSchemaConfig(silently: true)
        try Loop.run { [timeout] in
            guard let loop = Loop.current else { preconditionFailure("Loop.run runs on a loop") }
            let database = Database(config.database)
            let deadline = Instant.now.advanced(by: .seconds(timeout))
            while true {
                do {
                    _ = try await database.read("SELECT 1")
                    return
                } catch let error where Instant.now >= deadline {
                    throw CommandError("the database did not answer within \(timeout) s: \(error)")
                } catch {
                    try await loop.sleep(for: .milliseconds(200))
                }
            }
        }
    }
}
