import HTTPTypes
import Logging
import ORM
import Web

/// Creates a middleware that records the SQL statements of each request.
/// - Parameters:
///   - logs: whether to log the statements, grouped by request.
///   - addsServerTiming: whether the response reports the number and duration of the statements in `Server-Timing` (W3C
///     Server Timing).
func recordQueries(
    logs: Bool, addsServerTiming: Bool, log: Logger = Logger(label: "aktify.queries")
) -> Application.Middleware {
    { request, next in
        let recorder = QueryRecorder.current ?? QueryRecorder()
        var response = await QueryRecorder.$current.withValue(recorder) { await next(request) }
        let statements = recorder.statements
        // The statements of a streamed body run while it is sent.
        let isStream = response.wrapStream { produce in
            defer { if logs { log.info(recorder, of: request) } }
            try await QueryRecorder.$current.withValue(recorder) { try await produce() }
        }
        if logs, !isStream { log.info(recorder, of: request) }
        if addsServerTiming, let name = HTTPField.Name("Server-Timing") {
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
        let summary = "\(counted(statements.count)), \(recorder.elapsed.microseconds) us"
        info(
            "\(request.method) \(request.target): \(summary)\(lines)",
            metadata: ["request_id": "\(request.id)"])
    }
}

private func counted(_ count: Int) -> String { count == 1 ? "1 query" : "\(count) queries" }
