import HTTPTypes
import ORM
import Testing
import Web

@testable import AktifyAPI

/// The statuses that the OpenAPI document lists for each operation, compared with those that the API returns. Requests
/// provoke every status, except those that other tests cover (`testedElsewhere`).
@Suite struct DocumentedResponsesTests {
    /// Statuses that are caused by nginx, HTTP/1.0, database failures, concurrent requests with the same idempotency
    /// key, or rows of other tables that reference a campaign.
    private static let testedElsewhere: Set<String> = [
        "429", "500", "502", "503", "504", "505", "greet 303", "createCampaign 409", "deleteCampaign 409",
        "deleteCampaigns 409",
    ]

    private static let requests: [(HTTPRequest.Method, String, String?, HeaderFields)] = {
        let large = String(repeating: "[", count: 1) + Array(repeating: "0", count: 10_001).joined(separator: ",") + "]"
        let bodies: [(HTTPRequest.Method, String)] = [
            (.post, "/campaigns/"), (.patch, "/campaigns/?id=1"), (.put, "/campaigns/1"), (.patch, "/campaigns/1"),
        ]
        let wrongBodies = bodies.flatMap { method, target -> [(HTTPRequest.Method, String, String?, HeaderFields)] in
            [
                (method, target, "{", [:]), (method, target, large, [:]), (method, target, #"{"name":5}"#, [:]),
                (method, target, "{}", [.contentType: "text/plain"]),
            ]
        }
        return wrongBodies + [
            (.get, "/", nil, [:]), (.get, "/healthz", nil, [:]), (.get, "/readyz", nil, [:]), (.get, "/me", nil, [:]),
            (.get, "/campaigns/", nil, [:]), (.get, "/campaigns/?limit=0", nil, [:]),
            (.get, "/campaigns/", nil, [.accept: "image/png"]), (.get, "/campaigns/1", nil, [:]),
            (.get, "/campaigns/1", nil, [.ifNoneMatch: "*"]), (.get, "/campaigns/1", nil, [.ifNoneMatch: "1"]),
            (.get, "/campaigns/9", nil, [:]), (.get, "/campaigns/1", nil, [.accept: "image/png"]),
            (.get, "/campaigns/x", nil, [:]), (.get, "/campaigns/1/history", nil, [:]),
            (.get, "/campaigns/9/history", nil, [:]), (.get, "/campaigns/x/history", nil, [:]),
            (.get, "/campaigns/1/history", nil, [.accept: "image/png"]), (.post, "/campaigns/", #"{"name":"a"}"#, [:]),
            (.post, "/campaigns/", #"{"name":"a"}"#, [.accept: "image/png"]),
            (.put, "/campaigns/1", #"{"name":"a"}"#, [:]),
            (.put, "/campaigns/1", #"{"name":"a"}"#, [.prefer: "return=minimal"]),
            (.put, "/campaigns/9", #"{"name":"a"}"#, [:]),
            (.put, "/campaigns/1", #"{"name":"a"}"#, [.ifMatch: "\"9\""]),
            (.patch, "/campaigns/1", "{}", [:]), (.patch, "/campaigns/1", "{}", [.prefer: "return=minimal"]),
            (.patch, "/campaigns/9", "{}", [:]), (.patch, "/campaigns/1", #"{"name":"b"}"#, [.ifMatch: "\"9\""]),
            (.patch, "/campaigns/?id=1", "{}", [:]), (.patch, "/campaigns/?id=1", "{}", [.prefer: "return=minimal"]),
            (.delete, "/campaigns/9", nil, [:]), (.delete, "/campaigns/x", nil, [:]),
            (.delete, "/campaigns/1", nil, [.ifMatch: "1"]), (.delete, "/campaigns/1", nil, [.ifMatch: "\"9\""]),
            (.delete, "/campaigns/", nil, [:]), (.delete, "/campaigns/?id=9", nil, [:]),
            (.delete, "/campaigns/?id=9", nil, [.prefer: "return=minimal"]),
            (.delete, "/campaigns/?id=1", nil, [.ifMatch: "*"]), (.delete, "/campaigns/1", nil, [:]),
        ]
    }()

    @Test func `the documented statuses are exactly the returned ones`() async throws {
        let store = MemoryStore()
        _ = try await InMemoryRepository<Campaign>(in: store).insert(ColumnValues<Campaign>(name: "a"))
        let app = try createApp(.testing(), repositories: .inMemory(store))
        let client = TestClient(app)
        var seen: Set<String> = []
        for (method, target, body, fields) in Self.requests {
            var headers = fields
            if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
            let answer = try await client.send(method, target, headers: headers, body: Array((body ?? "").utf8))
            let id = try #require(app.route(of: method, target)?.operation?.id)
            seen.insert("\(id) \(answer.status.code)")
        }
        let documented = app.routes.flatMap { route in
            (route.operation?.responses ?? []).map { "\(route.operation?.id ?? "") \($0.status.code)" }
        }
        let expected = documented.filter { line in
            !Self.testedElsewhere.contains(line) && !Self.testedElsewhere.contains(String(line.suffix(3)))
        }
        #expect(Set(expected).subtracting(seen).sorted() == [])
        #expect(seen.subtracting(documented).sorted() == [])
    }
}
