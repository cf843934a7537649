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
        // Its statements run while it is sent.
        let isStream = response.wrapStream { produce in
            defer { if logs { log.info(recorder, of: request) } }
            try await QueryRecorder.$current.withValue(recorder) { try await produce() }
        }
        if logs, !isStream { log.info(recorder, of: request) }
        if tells, let name = HTTPField.Name("Server-Timing") {
            let microseconds = recorder.elapsed.microseconds
            let duration = "\(microseconds / 1000).\(microseconds / 100 % 10)"
            response.headers[name] = "db;dur=\(duration);desc=\"\(counted(statements.count))\""
        }
        return response
    }
}

extension Logger {
    /// Logs the statements of a request, if there are any.
    fileprivate func info(_ recorder: QueryRecorder, of request: Request) {
        let statements = recorder.statements
        guard !statements.isEmpty else { return }
        let lines = statements.enumerated().map { "\n  \($0 + 1). \($1)" }.joined()
        info(
            "\(request.method) \(request.target): \(counted(statements.count)), \(recorder.elapsed.microseconds) us\(lines)",
            metadata: ["request_id": "\(request.id)"])
    }
}

private func counted(_ count: Int) -> String { count == 1 ? "1 query" : "\(count) queries" }
