import AktifyAPI
import ArgumentParser
import EventLoop
import Logging
import ORM
import Web

/// Lists what the application answers, and what it asks the database for that.
struct Routes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the routes: method, path, blueprint, role, where reads may go, and the statements of each.",
        discussion: """
            Each route is run once without a database, as if there were no rows: a statement that is only sent when an earlier one \
            has returned some is not listed.
            """)

    func run() throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let config = try Config(environment: ["AUTH": "off"], readFile: { _ in nil })
        let lines = try Loop.run {
            let app = try createApp(config, database: .dry)
            var lines: [String] = []
            for route in app.routes { lines += try await Self.lines(of: route, in: app) }
            return lines
        }
        for line in lines { print(line) }
    }

    private static func lines(of route: RouteDescription, in app: Application) async throws -> [String] {
        let method = route.method.rawValue
        let recorder = QueryRecorder()
        _ = await QueryRecorder.$current.withValue(recorder) { await app.respond(to: route.request) }
        let head =
            padded(method, 8) + padded(route.path, 28) + padded(route.blueprint, 16)
            + padded("\(route.access)", 8) + route.reads.rawValue
        return [head] + recorder.statements.map { "        \($0.statement.text)" }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}

extension RouteDescription {
    /// A request that the route answers: with 1 for each parameter, and the example for a body.
    fileprivate var request: Request {
        let target = path.replacing(/<[^>]*>/, with: "1")
        // Changes of many need a filter.
        let filter = !path.contains("<") && [.patch, .delete].contains(method) ? "?id=1" : ""
        guard let example = operation?.body?.first?.example else {
            return Request(method: method, target: target + filter)
        }
        var json = JSONWriter()
        example.write(to: &json)
        return Request(
            method: method, target: target + filter, headers: [.contentType: MediaType.json.name], body: json.finish())
    }
}
