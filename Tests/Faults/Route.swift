/// A request that clients send, and its expected response.
enum Route: CaseIterable {
    case greeting, health, ready, list, one, missing, badId, unknownPath, wrongMethod, redirect, options, head
    case create, invalid, malformed, wrongType, hostile, tooLarge

    /// The parts of a request.
    struct Parts {
        var method = "GET"
        var target: String
        var type = "application/json"
        var body: [UInt8] = []
    }

    func parts(token: String) -> Parts {
        switch self {
        case .greeting: Parts(target: "/")
        case .health: Parts(target: "/healthz")
        case .ready: Parts(target: "/readyz")
        case .list: Parts(target: "/campaigns/")
        case .one: Parts(target: "/campaigns/1")
        case .missing: Parts(target: "/campaigns/999999999999")
        case .badId: Parts(target: "/campaigns/abc")
        case .unknownPath: Parts(target: "/nothing/\(token)")
        case .wrongMethod: Parts(method: "PUT", target: "/campaigns/")
        case .redirect: Parts(target: "/campaigns")
        case .options: Parts(method: "OPTIONS", target: "/campaigns/")
        case .head: Parts(method: "HEAD", target: "/campaigns/1")
        case .create: .post(#"{"name":"\#(token)"}"#)
        case .invalid: .post(#"{"name":"","description":"\#(token)"}"#)
        case .malformed: .post(#"{"name":"\#(token)""#)
        case .wrongType: .post("name=\(token)", type: "application/x-www-form-urlencoded")
        case .hostile: Hostile.parts(token)
        case .tooLarge: .post(String(repeating: " ", count: (1 << 20) + 1))
        }
    }

    /// The expected statuses without faults.
    var expected: Set<Int> {
        switch self {
        case .greeting, .health, .ready, .list, .one, .options, .head: [200]
        case .missing, .unknownPath: [404]
        case .badId, .invalid: [422]
        case .wrongMethod: [405]
        case .redirect: [308]
        case .create: [201]
        case .malformed: [400]
        case .wrongType: [415]
        case .hostile: [400, 413, 422]
        case .tooLarge: [413]
        }
    }

    /// Whether the route reads from the database.
    var isRead: Bool { [.ready, .list, .one, .missing, .head].contains(self) }
    var isWrite: Bool { self == .create }
}

extension Route.Parts {
    static func post(_ body: String, type: String = "application/json") -> Self {
        Self(method: "POST", target: "/campaigns/", type: type, body: Array(body.utf8))
    }
}

/// Bodies of almost 1 MiB that are rejected, and expensive for a careless parser.
enum Hostile {
    /// Returns a POST request with one of the three bodies, which `token` selects.
    static func parts(_ token: String) -> Route.Parts { all[Int(token.utf8.reduce(0) { $0 &+ UInt($1) } % 3)] }

    private static let all: [Route.Parts] = [
        #"{"name":""# + String(repeating: " ", count: 1_048_000) + #""}"#,
        "{" + (0..<80_000).map { #""u\#($0)":1"# }.joined(separator: ",") + "}",
        #"{"name":["# + String(repeating: "[],", count: 340_000) + "[]]}",
    ].map { .post($0) }
}
