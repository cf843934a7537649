import HTTPTypes
import Web

/// The greeting that the user interface shows, and the two questions that whoever watches the service asks.
func rootBlueprint(_ health: HealthService) -> Blueprint {
    var root = Blueprint("root")
    root.get("/") { _ in .json("Hello, from Flask!") }
    root.get("/healthz") { _ in .json(status("ok")) }
    root.get("/readyz") { _ in
        try await health.check()
        return .json(status("ready"))
    }
    return root
}

private func status(_ text: String) -> RawJSON { RawJSON("{\"status\":\"\(text)\"}") }

extension NotReady: HTTPErrorConvertible {
    public var httpError: HTTPError {
        let sentence = description
        return HTTPError(
            .serviceUnavailable, sentence.prefix(1).uppercased() + sentence.dropFirst() + ".",
            headers: [.retryAfter: "1"])
    }
}
