import HTTPTypes
import Logging
import ORM
import Web

/// Records the statements of each request.
/// - Parameters:
///   - logs: whether they are logged, grouped by request.
///   - tells: whether the response says how many they were and how long they took, in `Server-Timing` (W3C Server Timing).
func recordQueries(logs: Bool, tells: Bool, log: Logger = Logger(label: "aktify.queries")) -> Application.Middleware {
    { request, next in
        let recorder = QueryRecorder.current ?? QueryRecorder()
        var response = await QueryRecorder.$current.withValue(recorder) { await next(request) }
        let statements = recorder.statements
        if logs, !statements.isEmpty {
            let lines = statements.enumerated().map { "\n  \($0 + 1). \($1)" }.joined()
            log.info(
                "\(request.method) \(request.target): \(counted(statements.count)), \(recorder.elapsed.microseconds) us\(lines)",
                metadata: ["request_id": "\(request.id)"])
        }
        if tells, let name = HTTPField.Name("Server-Timing") {
            let microseconds = recorder.elapsed.microseconds
            let duration = "\(microseconds / 1000).\(microseconds / 100 % 10)"
            response.headers[name] = "db;dur=\(duration);desc=\"\(counted(statements.count))\""
        }
        return response
    }
}

private func counted(_ count: Int) -> String { count == 1 ? "1 query" : "\(count) queries" }
