import HTTPTypes
import ORM
import Testing
import Web

@testable import AktifyAPI

/// The OpenAPI document, compared with how the API handles values that the document's schemas allow or reject.
@Suite struct ContractTests {
    private let client: TestClient

    init() async throws {
        client = TestClient(try createApp(.testing(), repositories: .inMemory(MemoryStore())))
        _ = try await client.post("/campaigns/", #"{"name":"One"}"#)
    }

    private var document: JSON? { get async throws { try await client.get("/openapi.json").json } }

    private func parameter(_ name: String, of method: String, _ path: String = "/campaigns/") async throws -> JSON? {
        let parameters = try await document?["paths"]?[path]?[method]?["parameters"]?.elements ?? []
        return parameters.first { $0["name"] == .string(name) }?["schema"]
    }

    @Test func `the rows of a list may have only some of their fields`() async throws {
        let response = try await document?["paths"]?["/campaigns/"]?["get"]?["responses"]?["200"]?["content"]
        let rows = response?["application/json"]?["schema"]?["items"]?["anyOf"]
        #expect(
            rows == [["$ref": "#/components/schemas/Campaign"], ["$ref": "#/components/schemas/CampaignSelection"]])
        let selection = try await document?["components"]?["schemas"]?["CampaignSelection"]
        #expect(selection?["properties"]?["name"] != nil && selection?["required"] == nil)
    }

    @Test(arguments: [("id", true), ("id,name", true), ("", false), ("id,", false), ("version", false)])
    func `the fields of a list are comma-separated names`(fields: String, isValid: Bool) async throws {
        let pattern = try #require(try await parameter("fields", of: "get")?["pattern"]?.text)
        #expect((try Regex(pattern).wholeMatch(in: fields) != nil) == isValid)
        #expect(try await client.get("/campaigns/?fields=\(fields)").status == (isValid ? .ok : .unprocessableContent))
    }

    @Test func `a preference may be any text, and unknown ones are ignored`() async throws {
        for (method, path) in [("get", "/campaigns/"), ("post", "/campaigns/"), ("patch", "/campaigns/{id}")] {
            #expect(try await parameter("Prefer", of: method, path) == ["type": "string"])
        }
        #expect(try await client.get("/campaigns/", headers: [.prefer: "respond-async"]).status == .ok)
    }

    @Test func `an empty condition and an empty Idempotency-Key are valid`() async throws {
        for (name, method, path) in [
            ("If-Match", "put", "/campaigns/{id}"), ("If-None-Match", "get", "/campaigns/{id}"),
            ("Idempotency-Key", "post", "/campaigns/"),
        ] {
            let schema = try await parameter(name, of: method, path)
            #expect(try Regex(try #require(schema?["pattern"]?.text)).wholeMatch(in: "") != nil)
            #expect(schema?["minLength"] == nil)
        }
    }

    @Test func `a filter on a time accepts a date and time of RFC 3339`() async throws {
        #expect(try await parameter("created_on[gte]", of: "get")?["format"] == "date-time")
        for time in ["2026-11-23T07:33:36Z", "2026-11-23T07:33:36.123456%2B01:00", "0001-01-01T00:00:00Z"] {
            #expect(try await client.get("/campaigns/?created_on[gte]=\(time)").status == .ok, "\(time)")
        }
        #expect(try await client.get("/campaigns/?created_on[gte]=").status == .unprocessableContent)
    }

    @Test(arguments: [("1", true), ("1,-2", true), ("", true), (",1,,2,", true), ("1-2", false), ("1.5", false)])
    func `a list of IDs is accepted exactly if it matches the pattern of its parameter`(ids: String, isValid: Bool)
        async throws
    {
        let pattern = try #require(try await parameter("id[in]", of: "get")?["pattern"]?.text)
        #expect((try Regex(pattern).wholeMatch(in: ids) != nil) == isValid)
        #expect(try await client.get("/campaigns/?id[in]=\(ids)").status == (isValid ? .ok : .unprocessableContent))
    }

    @Test(arguments: [
        ("a", true), (" a\u{3000}", true), ("\u{1c}", true), ("", false), (" \t\u{85}\u{a0}\u{2028}\u{3000}", false),
        ("a\0", false),
    ])
    func `schema and API require a name with more than white space and without NUL`(
        name: String, isValid: Bool
    ) async throws {
        let properties = try await document?["components"]?["schemas"]?["CampaignDraft"]?["properties"]
        let pattern = try #require(properties?["name"]?["pattern"]?.text)
        #expect((try Regex(pattern).wholeMatch(in: name) != nil) == isValid)
        let escaped = name.unicodeScalars.map { "\\u" + String(0x10000 + $0.value, radix: 16).dropFirst() }.joined()
        let answer = try await client.post("/campaigns/", "{\"name\":\"\(escaped)\"}")
        #expect(answer.status == (isValid ? .created : .unprocessableContent))
    }

    @Test func `no text that a client sends may contain NUL`() async throws {
        let properties = try await document?["components"]?["schemas"]?["CampaignDraft"]?["properties"]
        var schemas = [properties?["description"]]
        for name in ["q", "name", "name[in]"] { schemas.append(try await parameter(name, of: "get")) }
        for schema in schemas { #expect(schema?["pattern"] == #"^[^\u0000]*$"#) }
        #expect(try await client.get("/campaigns/?q=%00").status == .unprocessableContent)
    }
}

extension JSON {
    fileprivate subscript(name: String) -> JSON? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    fileprivate var elements: [JSON] { if case .array(let elements) = self { elements } else { [] } }

    fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
}
