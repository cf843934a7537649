import AktifyAPI
import ArgumentParser
import EventLoop
import HTTPTypes
import ORM
import Web

/// Says what a request costs the database, and changes nothing.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a request in a transaction that is rolled back, and show each statement and its plan.",
        discussion: """
              aktify explain GET '/campaigns/?limit=10'
              aktify explain POST /campaigns/ '{"name":"Spring"}'

            Ends with 1 when a statement fails, or the request with a status of 500 or above.
            """)

    @Argument(
        help: "The method: GET, POST, …",
        transform: { text in
            guard let method = HTTPRequest.Method(text.uppercased()) else {
                throw ValidationError("\(text) is no method.")
            }
            return method
        })
    var method: HTTPRequest.Method

    @Argument(help: "The target: a path, with its query.")
    var target: String

    @Argument(help: "The body, as JSON.")
    var body: String?

    @Flag(help: "Print JSON, with Postgres's whole plans, for other programs.")
    var json = false

    func validate() throws {
        guard target.hasPrefix("/") else { throw ValidationError("The target begins with a slash, not: \(target)") }
    }

    func run() throws {
        var loaded = try loadConfig(processEnvironment())
        // Whoever may run this may read the database as well.
        loaded.authentication = .off
        // As the owner: sequences are altered, to be put back.
        loaded.database = loaded.ownersDatabase
        let (config, method, target, body) = (loaded, method, target, body)
        let report = try Loop.run {
            let recorder = QueryRecorder()
            let (status, explanations) = try await Database.explaining(config.database) { database in
                let app = try createApp(config, database: database)
                let headers: HeaderFields = body == nil ? [:] : [.contentType: "application/json"]
                let request = Request(method: method, target: target, headers: headers, body: Array((body ?? "").utf8))
                return await QueryRecorder.$current.withValue(recorder) { await app.respond(to: request) }.status
            }
            return Report(
                request: "\(method) \(target)", status: status.code, explanations: explanations,
                executed: recorder.statements)
        }
        print(json ? report.json : report.text)
        if report.hasFailed { throw ExitCode(1) }
    }
}
