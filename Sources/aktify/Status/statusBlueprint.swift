import HTTPTypes
import Supervisor
import Web

/// Returns the routes of the master's status report. The routes need neither a worker nor the database.
///
/// `/status` has the member names of php-fpm's status page, so that monitoring tools for php-fpm can read it. `?full`
/// adds the worker processes, the requests in progress and the recent reloads; `?openmetrics` selects OpenMetrics 1.0,
/// for Prometheus. `/ping` responds with `pong`, as php-fpm's does.
/// - Parameter status: returns the master's current status.
func statusBlueprint(_ status: @escaping @Sendable () async -> Master.Status) -> Blueprint {
    var blueprint = Blueprint("status")
    blueprint.get("/status") { request in
        let query = request.target.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        // A value, even an empty one, is accepted and ignored: Prometheus cannot send a parameter without "=".
        let names = Set(query.split(separator: "&").map { $0.prefix { $0 != "=" } })
        let status = await status()
        guard !names.contains("openmetrics") else {
            return Response(
                .ok, headers: [.contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8"],
                body: .bytes(Array(OpenMetrics(status).text.utf8)))
        }
        return .json(StatusReport(status, isFull: names.contains("full")))
    }
    blueprint.get("/ping") { _ in
        Response(.ok, headers: [.contentType: "text/plain"], body: .bytes(Array("pong".utf8)))
    }
    return blueprint
}
