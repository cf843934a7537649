import HTTPTypes
import Web

/// The greeting that the user interface shows, and the two questions that whoever watches the service asks.
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

/// What the routes answer.
private enum RootOperations {
    private static let state: JSON = [
        "type": "object", "required": ["status"], "properties": ["status": ["type": "string"]],
    ]
    static let greeting = Operation(
        "greet", "A greeting", tag: "service",
        answers: [Operation.Answer(.ok, "It.", [.init(.json, ["type": "string"])])])
    static let health = Operation(
        "getHealth", "Whether the process is well, whatever the database is", tag: "service",
        answers: [Operation.Answer(.ok, "It is.", [.init(.json, state, example: ["status": "ok"])])])
    static let readiness = Operation(
        "getReadiness", "Whether requests can be answered", tag: "service",
        answers: [
            Operation.Answer(.ok, "They can.", [.init(.json, state, example: ["status": "ready"])]),
            .error(
                .serviceUnavailable, "They cannot: the message says why.",
                headers: [(.retryAfter, "In so many seconds.")]),
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
