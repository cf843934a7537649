import AktifyAPI
import ArgumentParser
import EventLoop
import Logging
import ORM
import Web

/// `aktify routes`: lists the application's routes and their statements.
struct Routes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the routes: method, path, blueprint, required role, read target, and SQL statements.",
        discussion: """
            No database is needed: each route is run once against a stub that returns no rows. A statement that \
            depends on rows of an earlier one is therefore not listed.
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
    /// A sample request that matches the route: each path parameter is 1, and the body is the documented example.
    fileprivate var request: Request {
        let target = path.replacing(/<[^>]*>/, with: "1")
        // Bulk updates and deletes require a filter.
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
