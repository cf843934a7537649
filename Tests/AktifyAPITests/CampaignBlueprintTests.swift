import HTTPTypes
import ORM
import Testing
import Web

@testable import AktifyAPI

@Suite struct CampaignBlueprintTests {
    private let store = MemoryStore()
    private var repository: InMemoryRepository<Campaign> { InMemoryRepository(in: store) }

    private func client() throws -> TestClient { TestClient(try createApp(.testing(), repositories: .inMemory(store))) }

    private func seed(_ names: String...) async throws {
        for name in names { _ = try await repository.insert(Campaign.ColumnValues(name: name)) }
    }

    @Test func `the root returns the greeting`() async throws {
        let answer = try await client().get("/")
        #expect(answer.text == "\"Hello, from Flask!\"\n")
        #expect(answer.headers[.contentLength] == "21")
    }

    @Test func `a list without campaigns is an empty array`() async throws {
        #expect(try await client().get("/campaigns/").text == "[]\n")
    }

    @Test func `a campaign has six members, sorted by name`() async throws {
        try await seed("One")
        let date = "Mon, 23 Nov 2026 07:33:36 GMT"
        let one =
            #"{"created_on":"\#(date)","description":"","id":1,"is_active":true,"name":"One","updated_on":"\#(date)"}"#
        #expect(try await client().get("/campaigns/1").text == one + "\n")
        #expect(try await client().get("/campaigns/?nothing=%FF").text == "[\(one)]\n")
    }

    @Test(arguments: ["1", "00001", "%31", "1?a=b", String(repeating: "0", count: 5000) + "1"])
    func `an ID may have leading zeros and percent-encoded digits`(id: String) async throws {
        try await seed("One")
        #expect(try await client().get("/campaigns/\(id)").status == .ok)
    }

    @Test(arguments: [
        "0", "2", "1001", "2147483648", "9223372036854775807", "9223372036854775808", "99999999999999999999",
    ])
    func `an unknown campaign is answered with 404`(id: String) async throws {
        try await seed("One")
        let answer = try await client().get("/campaigns/\(id)")
        #expect(answer.status == .notFound)
        #expect(answer.text.hasPrefix(#"{"message":"Campaign not found.","request_id":""#))
    }

    @Test(arguments: ["abc", "-1", "+1", "1.0", "1e3", "%201", "1%20", "%00", "%FF", "½", "%D9%A1", "१", "²", "1%2F2"])
    func `an ID that is not digits is rejected with 422`(id: String) async throws {
        let answer = try await client().get("/campaigns/\(id)")
        #expect(answer.status == .unprocessableContent)
        #expect(answer.text.hasPrefix(#"{"message":"id must be an integer","request_id":""#))
    }

    @Test func `a created campaign is returned with its Location`() async throws {
        let answer = try await client().post(
            "/campaigns/", #"{"name":"  Spring ","description":"x","is_active":false}"#)
        #expect(answer.status == .created)
        #expect(answer.headers[.location] == "http://localhost:5051/campaigns/1")
        let made = try #require(try await repository.find(1))
        #expect(made.name == "Spring" && made.description == "x" && !made.isActive)
        #expect(try await client().get("/campaigns/1").text == answer.text)
    }

    @Test func `only the name is required`() async throws {
        #expect(try await client().post("/campaigns/", #"{"name":"a"}"#).status == .created)
        let made = try #require(try await repository.find(1))
        #expect(made.description == "" && made.isActive)
    }

    @Test func `a name may have 255 characters, counted like in Postgres`() async throws {
        let long = String(repeating: "é", count: 255)
        #expect(try await client().post("/campaigns/", "{\"name\":\" \(long) \"}").status == .created)
        #expect(try await client().post("/campaigns/", "{\"name\":\"\(long)x\"}").status == .unprocessableContent)
    }

    @Test(
        arguments: [
            (#"{}"#, ["name"]), (#"{"name":null}"#, ["name"]), (#"{"name":5}"#, ["name"]), (#"{"name":""}"#, ["name"]),
            (#"{"name":" \t"}"#, ["name"]),
            (#"{"name":"a\u0000b"}"#, ["name"]), (#"{"name":"\ud800"}"#, ["name"]),
            (#"{"name":"a","description":null}"#, ["description"]),
            (#"{"name":"a","description":"\u0000"}"#, ["description"]), (#"{"name":"a","is_active":1}"#, ["is_active"]),
            (#"{"name":"a","is_active":"yes"}"#, ["is_active"]),
            (#"{"name":"a","id":7,"isActive":true}"#, ["id", "isActive"]),
            (#"{"name":[],"description":1,"is_active":null,"x":1}"#, ["name", "description", "is_active", "x"]),
        ]) func `an invalid campaign is rejected with 422, with all invalid fields`(body: String, fields: [String])
        async throws
    {
        let answer = try await client().post("/campaigns/", body)
        #expect(answer.status == .unprocessableContent)
        guard case .object(let error) = answer.json, case .array(let problems) = error["errors"] else {
            Issue.record("no errors in \(answer.text)")
            return
        }
        let named = problems.map {
            if case .object(let problem) = $0, case .string(let name) = problem["field"] { name } else { "" }
        }
        #expect(named == fields)
        #expect(try await repository.count(Campaign.all) == 0)
    }

    @Test func `only the first twenty invalid fields are listed, with the number of the others`() async throws {
        let members = (0..<5000).map { "\"m\($0)\":[]" }.joined(separator: ",")
        let answer = try await client().post("/campaigns/", "{\(members)}")
        guard case .object(let error) = answer.json, case .array(let problems) = error["errors"] else {
            Issue.record("no errors in \(answer.text)")
            return
        }
        #expect(answer.status == .unprocessableContent && answer.body.count < 2000)
        #expect(problems.count == 20 && error["more_errors"] == .number("4981"))
        #expect(problems[1] == .object(["field": .string("m0"), "message": .string("This field is not known.")]))
    }

    @Test func `the long name of an unknown field is truncated`() async throws {
        let name = String(repeating: "é", count: 400_000)
        let answer = try await client().post("/campaigns/", "{\"name\":\"a\",\"\(name)\":1}")
        #expect(answer.status == .unprocessableContent && answer.body.count < 1000)
    }

    @Test func `a body with too many values is rejected with 413`() async throws {
        func zeros(_ count: Int) -> String { Array(repeating: "0", count: count).joined(separator: ",") }
        #expect(try await client().post("/campaigns/", "{\"name\":[\(zeros(9_999))]}").status == .contentTooLarge)
        #expect(try await client().post("/campaigns/", "{\"name\":[\(zeros(9_998))]}").status == .unprocessableContent)
    }

    @Test(arguments: ["null", "[]", "[[\"name\",\"a\"]]", "\"abc\"", "5"])
    func `a body that is not an object is rejected with 422`(
        body: String
    ) async throws {
        #expect(try await client().post("/campaigns/", body).status == .unprocessableContent)
    }

    @Test(arguments: [
        "", "{", "{\"name\":\"a\",}", "{'name':'a'}", String(repeating: "[", count: 5000), "{\"name\":\"\n\"}",
    ])
    func `a body that is not JSON is rejected with 400`(body: String) async throws {
        let answer = try await client().post("/campaigns/", body)
        #expect(answer.status == .badRequest)
        #expect(try await repository.count(Campaign.all) == 0)
    }

    @Test(arguments: [nil, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json+json"])
    func `a body of another media type is rejected with 415`(type: String?) async throws {
        #expect(try await client().post("/campaigns/", "{\"name\":\"a\"}", type: type).status == .unsupportedMediaType)
    }

    @Test(arguments: ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"])
    func `every JSON media type is accepted`(type: String) async throws {
        #expect(try await client().post("/campaigns/", "{\"name\":\"a\"}", type: type).status == .created)
    }

    @Test func `POST to the path without the trailing slash is only redirected`() async throws {
        #expect(try await client().post("/campaigns", "{\"name\":\"a\"}").status == .permanentRedirect)
        #expect(try await repository.count(Campaign.all) == 0)
    }
}

/// Requests with a mistake or an unusual spelling, which must not change more rows than the client intends.
@Suite struct CampaignMistakeTests {
    private let store = MemoryStore()

    private func client() async throws -> TestClient {
        _ = try await InMemoryRepository<Campaign>(in: store).insert(ColumnValues<Campaign>(name: "\u{fffd}"))
        return TestClient(try createApp(.testing(), repositories: .inMemory(store)))
    }

    @Test func `a filter that is not UTF-8 is rejected rather than replaced`() async throws {
        let client = try await client()
        for target in ["?name=%FF", "?name%5Bne%5D=%FF", "?q=caf%E9", "?id=1&sort=%FF"] {
            let answer = try await client.send(.delete, "/campaigns/\(target)")
            #expect(answer.status == .unprocessableContent)
        }
        #expect(try await client.get("/campaigns/?name=%FF").text.contains("name must be UTF-8."))
        #expect(try await client.get("/campaigns/?unknown=%FF").status == .ok)
    }

    @Test func `a condition on one row is rejected for a bulk change`() async throws {
        let client = try await client()
        let answer = try await client.send(.delete, "/campaigns/?id=1", headers: [.ifMatch: "\"1\""])
        #expect(answer.status == .badRequest)
    }

    @Test func `idempotency keys and Location do not depend on the spelling of the path`()
        async throws
    {
        let client = try await client()
        for path in ["/campaigns/", "/%63ampaigns/"] {
            let headers: HeaderFields = [.contentType: "application/json", .idempotencyKey: "a"]
            let answer = try await client.send(.post, path, headers: headers, body: Array(#"{"name":"b"}"#.utf8))
            #expect(answer.headers[.location] == "http://localhost:5051/campaigns/2")
        }
    }
}
