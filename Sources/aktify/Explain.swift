import AktifyAPI
import ArgumentParser
import EventLoop
import HTTPTypes
import ORM
import Web

/// `aktify explain`: shows the statements of a request and their plans, without changing the database.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a request in a transaction that is rolled back, and show its statements and their plans.",
        discussion: """
              aktify explain GET '/campaigns/?limit=10'
              aktify explain POST /campaigns/ '{"name":"Spring"}'

            It connects as the owner of the schema and needs no API key. The exit status is 1 when a statement fails \
            or the response is a server error (5xx).
            """)

    @Argument(
        help: "The request method: GET, POST and so on.",
        transform: { text in
            guard let method = HTTPRequest.Method(text.uppercased()) else {
                throw ValidationError("\(text) is not an HTTP method.")
            }
            return method
        })
    var method: HTTPRequest.Method

    @Argument(help: "The request target: a path, optionally with a query string.")
    var target: String

    @Argument(help: "The request body, in JSON.")
    var body: String?

    @Flag(help: "Print JSON, which contains the complete plans in Postgres's own format.")
    var json = false

    func validate() throws {
        guard target.hasPrefix("/") else { throw ValidationError("The target must begin with a slash: \(target)") }
    }

    func run() throws {
        var loaded = try loadConfig(processEnvironment())
        // Anyone who can run this command can read the database anyway.
        loaded.authentication = .off
        // Only the owner may alter sequences, which is how their values are restored.
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
