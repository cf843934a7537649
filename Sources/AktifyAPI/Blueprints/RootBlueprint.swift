import HTTPTypes
import Web

/// Creates a blueprint with the health and readiness checks for monitoring, and with the greeting of the original Flask
/// API, which that API's user interface shows.
func rootBlueprint(_ health: HealthService) -> Blueprint {
    var root = Blueprint("root")
    root.get("/", RootOperations.greeting, access: .open) { _ in .json("Hello, from Flask!") }
    root.get("/healthz", RootOperations.health, access: .open) { _ in .json(status("ok")) }
    root.get("/readyz", RootOperations.readiness, reads: .primaryPreferred, access: .open) { _ in
        try await health.check()
        return .json(status("ready"))
    }
    return root
}

private func status(_ text: String) -> RawJSON { RawJSON("{\"status\":\"\(text)\"}") }

/// The documentation of the root blueprint's routes.
private enum RootOperations {
    private static let state: JSON = [
        "type": "object", "required": ["status"], "properties": ["status": ["type": "string"]],
    ]
    static let greeting = Operation(
        "greet", "Get a greeting", tag: "service",
        responses: [
            Operation.Response(.ok, "The greeting.", [.init(.json, ["type": "string"])]),
            // nginx responds with it.
            Operation.Response(
                .seeOther, "A redirect to the console, for clients that prefer text/html, such as browsers.",
                headers: [(.location, "The console, /ui/.")]),
        ])
    static let health = Operation(
        "getHealth", "Check whether the service is alive, regardless of the database", tag: "service",
        responses: [Operation.Response(.ok, "The service is alive.", [.init(.json, state, example: ["status": "ok"])])])
    static let readiness = Operation(
        "getReadiness", "Check whether the service is ready to handle requests", tag: "service",
        responses: [
            Operation.Response(.ok, "The service is ready.", [.init(.json, state, example: ["status": "ready"])]),
            .error(
                .serviceUnavailable, "The service is not ready, for the reason in the message.",
                headers: [(.retryAfter, "Seconds to wait before a retry.")]),
        ])
}

extension NotReady: HTTPErrorConvertible {
    public var httpError: HTTPError {
        let sentence = description
        return HTTPError(
            .serviceUnavailable, sentence.prefix(1).uppercased() + sentence.dropFirst() + ".",
            headers: [.retryAfter: "1"])
    }
}
