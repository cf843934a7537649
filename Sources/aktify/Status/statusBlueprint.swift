import HTTPTypes
import Supervisor
import Web

/// What the master answers about itself and its workers: nothing of it needs a worker, or the database.
///
/// `/status` has the names of php-fpm's status page, so that what reads that one reads this one; `?full` adds what is under way,
/// `?openmetrics` is for Prometheus (OpenMetrics 1.0). `/ping` answers as php-fpm's does.
func statusBlueprint(_ status: @escaping @Sendable () async -> Master.Status) -> Blueprint {
    var blueprint = Blueprint("status")
    blueprint.get("/status") { request in
        let query = request.target.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        // With a value too, even an empty one: Prometheus cannot ask without.
        let words = Set(query.split(separator: "&").map { $0.prefix { $0 != "=" } })
        let status = await status()
        guard !words.contains("openmetrics") else {
            return Response(
                .ok, headers: [.contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8"],
                body: .bytes(Array(OpenMetrics(status).text.utf8)))
        }
        return .json(StatusReport(status, isFull: words.contains("full")))
    }
    blueprint.get("/ping") { _ in
        Response(.ok, headers: [.contentType: "text/plain"], body: .bytes(Array("pong".utf8)))
    }
    return blueprint
}
