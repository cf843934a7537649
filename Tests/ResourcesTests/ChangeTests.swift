import HTTPTypes
import ORM
import Testing
import Web

@testable import Resources

/// Writes: conditional requests, business rules, the `Prefer` header field, bulk operations and idempotency keys.
@Suite struct ChangeTests {
    private let leads: Leads

    init() throws { leads = try Leads() }

    // MARK: Conditions

    @Test func `a read has an ETag, and is answered with 304 when If-None-Match contains it`() async throws {
        try await leads.add("a@b")
        #expect(try await leads.get("/leads/1").headers[.eTag] == "\"1\"")
        for tags in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"] {
            for method in [HTTPRequest.Method.get, .head] {
                let answer = try await leads.send(method, "/leads/1", "", [.ifNoneMatch: tags])
                #expect(answer.status == .notModified && answer.body.isEmpty && answer.headers[.eTag] == "\"1\"")
            }
        }
        #expect(try await leads.get("/leads/1", [.ifNoneMatch: "\"2\""]).status == .ok)
        #expect(try await leads.get("/leads/9", [.ifNoneMatch: "*"]).status == .notFound)
        #expect(try await leads.get("/leads/1", [.ifNoneMatch: "1"]).status == .badRequest)
        _ = try await leads.send(.patch, "/leads/1", #"{"score":1}"#)
        let changed = try await leads.get("/leads/1", [.ifNoneMatch: "\"1\""])
        #expect(changed.status == .ok && changed.headers[.eTag] == "\"2\"")
    }

    @Test(arguments: [
        (HTTPField.Name.ifMatch, "\"2\"", true), (.ifMatch, "W/\"2\"", true), (.ifMatch, "\"1\", \"2\"", true),
        (.ifMatch, "*", true), (.ifMatch, "\"1\"", false), (.ifMatch, "\"x\"", false), (.ifMatch, "\"02\"", false),
        (.ifMatch, "\"+2\"", false), (.ifMatch, "\"\"", false), (.ifMatch, "\"99999999999999999999\"", false),
        (.ifNoneMatch, "\"2\"", false), (.ifNoneMatch, "*", false), (.ifNoneMatch, "\"1\", \"2\"", false),
        (.ifNoneMatch, "\"1\"", true), (.ifNoneMatch, "\"x\"", true), (.ifNoneMatch, "\"02\"", true),
    ]) func `a change is made only if the version meets its condition`(
        field: HTTPField.Name, value: String, isMade: Bool
    ) async throws {
        for (method, body) in [
            (HTTPRequest.Method.put, #"{"email":"n@n","weight":1}"#), (.patch, #"{"score":7}"#), (.patch, "{}"),
            (.delete, ""),
        ] {
            let leads = try Leads()
            try await leads.add("a@b")
            _ = try await leads.send(.patch, "/leads/1", #"{"score":1}"#)
            let answer = try await leads.send(method, "/leads/1", body, [field: value])
            #expect(answer.status == (isMade ? method == .delete ? .noContent : .ok : .preconditionFailed))
            let after = try await leads.get("/leads/1")
            if !isMade { #expect(after.headers[.eTag] == "\"2\"" && after["score"] == 1 && after["email"] == "a@b") }
        }
    }

    @Test func `If-Match and If-None-Match must both hold`() async throws {
        try await leads.add("a@b")
        for (match, noneMatch, isMade) in [
            ("\"1\"", "\"1\"", false), ("\"1\"", "*", false), ("*", "\"1\"", false), ("*", "*", false),
            ("\"2\"", "\"2\"", false), ("\"1\"", "\"2\"", true),
        ] {
            let answer = try await leads.send(
                .patch, "/leads/1", #"{"score":1}"#, [.ifMatch: match, .ifNoneMatch: noneMatch])
            #expect(answer.status == (isMade ? .ok : .preconditionFailed), "\(match) \(noneMatch)")
        }
    }

    @Test func `a malformed condition is rejected with 400, and a condition on a missing row with 404`() async throws {
        try await leads.add("a@b")
        for (method, body) in [(HTTPRequest.Method.put, #"{"email":"n@n","weight":1}"#), (.patch, "{}"), (.delete, "")]
        {
            for field in [HTTPField.Name.ifMatch, .ifNoneMatch] {
                #expect(try await leads.send(method, "/leads/1", body, [field: "1"]).status == .badRequest)
                #expect(try await leads.send(method, "/leads/9", body, [field: "\"1\""]).status == .notFound)
            }
        }
    }

    // MARK: Business rules

    @Test func `a violated business rule is reported, unless the response is 404 or 412`() async throws {
        try await leads.add("a@b", #""stage":"won""#)
        try await leads.add("b@b", #""stage":"lost""#)
        for (method, target, body) in [
            (HTTPRequest.Method.delete, "/strict/1", ""), (.patch, "/strict/2", #"{"score":1}"#),
            (.patch, "/strict/2", "{}"), (.put, "/strict/2", #"{"email":"n@n","weight":1}"#),
        ] {
            for tag in [nil, "\"1\"", "*"] {
                let headers: HeaderFields = tag.map { [.ifMatch: $0] } ?? [:]
                let answer = try await leads.send(method, target, body, headers)
                #expect(answer.status == .conflict && answer.text.contains("stays"))
            }
            let stale = try await leads.send(method, target, body, [.ifMatch: "\"7\""])
            #expect(stale.status == .preconditionFailed)
            #expect(try await leads.send(method, "/strict/9", body).status == .notFound)
        }
        #expect(try await leads.send(.delete, "/strict/2").status == .noContent)
        #expect(try await leads.send(.patch, "/strict/1", #"{"stage":"new"}"#, [.ifMatch: "\"1\""]).status == .ok)
        #expect(try await leads.send(.delete, "/strict/1", "", [.ifMatch: "\"2\""]).status == .noContent)
    }

    @Test func `values are prepared before every kind of write`() async throws {
        let one = #"{"email":"a@b","weight":1,"note":"n","score":7}"#
        let made = try await leads.send(.post, "/strict/", one)
        #expect(made.status == .created && made["score"] == 30)
        let many = try await leads.send(
            .post, "/strict/", #"[{"email":"b@b","weight":1,"note":"n"},{"email":"c@b","weight":1}]"#)
        #expect(many.all("score") == [30, 0])
        #expect(try await leads.send(.put, "/strict/3", #"{"email":"c@b","weight":1,"note":"n"}"#)["score"] == 30)
        #expect(try await leads.send(.patch, "/strict/3", #"{"score":40}"#)["score"] == 40)
        #expect(try await leads.send(.patch, "/strict/?id=3", #"{"note":"m"}"#).status == .ok)
        #expect(try await leads.get("/strict/3")["score"] == 30)
    }

    @Test func `the cause of a refused deletion is determined again when the row has changed meanwhile`() async throws {
        let row = try await leads.row()
        let lead = try #require(row)
        for (outcomes, expected) in [
            ([.refused(lead), .missing], "notFound"), ([.refused(lead), .done(lead)], "done"),
            ([.refused(lead), .refused(lead), .refused(lead)], "won"),
        ] as [([Guarded<Lead>], String)] {
            let rows = ScriptedLeads(outcomes: outcomes)
            let service = StrictLeadService(rows: rows)
            var outcome = "done"
            do { try await service.delete(1, if: .any) } catch { outcome = "\(error)" }
            #expect(outcome == expected)
        }
    }

    @Test func `a bulk change skips rows that a business rule protects`() async throws {
        for (email, stage) in [("a@b", "new"), ("b@b", "won"), ("c@b", "lost")] {
            try await leads.add(email, #""stage":"\#(stage)""#)
        }
        let changed = try await leads.send(.patch, "/strict/?id[in]=1,2,3", #"{"score":5}"#)
        #expect(changed.text == "{\"affected\":2}\n")
        let deleted = try await leads.send(.delete, "/strict/?id[in]=1,2,3")
        #expect(deleted.text == "{\"affected\":2}\n")
        let left = try await leads.get("/leads/")
        #expect(left.ids == [2] && left.all("score") == [5])
    }

    @Test func `a resource without a version column has no entity tags, and rejects conditional writes with 400`()
        async throws
    {
        let made = try await leads.send(.post, "/parties/", #"{"name":"P"}"#)
        #expect(made.status == .created && made.headers[.eTag] == nil)
        #expect(try await leads.get("/parties/1", [.ifNoneMatch: "*"]).status == .ok)
        for (method, body) in [(HTTPRequest.Method.put, #"{"name":"Q"}"#), (.patch, #"{"name":"Q"}"#), (.delete, "")] {
            for (field, value) in [(HTTPField.Name.ifMatch, "\"1\""), (.ifMatch, "*"), (.ifNoneMatch, "\"1\"")] {
                let refused = try await leads.send(method, "/parties/1", body, [field: value])
                #expect(refused.status == .badRequest, "\(method) \(field) \(value)")
            }
        }
        let changed = try await leads.send(.patch, "/parties/1", #"{"name":"Q"}"#)
        #expect(changed.status == .ok && changed.text == "{\"id\":1,\"name\":\"Q\"}\n")
    }

    // MARK: Preferences

    @Test func `return=minimal omits the body`() async throws {
        let minimal: HeaderFields = [.prefer: "return=minimal"]
        let body = #"{"email":"a@b","weight":1}"#
        let made = try await leads.send(.post, "/leads/", body, minimal)
        #expect(made.status == .created && made.body.isEmpty && made.headers[.eTag] == "\"1\"")
        #expect(made.headers[.location] == "http://localhost:5051/leads/1" && made.headers[.contentType] == nil)
        let many = try await leads.send(.post, "/leads/", #"[{"email":"c@d","weight":1}]"#, minimal)
        #expect(many.status == .created && many.body.isEmpty)
        let replaced = try await leads.send(.put, "/leads/1", body, minimal)
        let changed = try await leads.send(.patch, "/leads/1", "{\"score\":1}", minimal)
        #expect(replaced.headers[.eTag] == "\"2\"" && changed.headers[.eTag] == "\"3\"")
        let all = try await leads.send(.patch, "/leads/?id=1", "{\"score\":2}", minimal)
        let gone = try await leads.send(.delete, "/leads/?id=1", "", minimal)
        for answer in [replaced, changed, all, gone] { #expect(answer.status == .noContent && answer.body.isEmpty) }
        for answer in [made, many, replaced, changed, all, gone] {
            #expect(answer.headers[.preferenceApplied] == "return=minimal")
        }
        let wrong = try await leads.send(.post, "/leads/", "{}", minimal)
        #expect(wrong.wrongFields == ["email", "weight"] && wrong.headers[.preferenceApplied] == nil)
    }

    // MARK: Several rows

    @Test func `the rows of an array are created in order`() async throws {
        let answer = try await leads.send(
            .post, "/leads/", #"[{"email":"a@b","weight":1},{"weight":2,"email":"c@d","note":"n"}]"#)
        #expect(answer.status == .created && answer.ids == [1, 2] && answer.headers[.location] == nil)
        #expect(answer.all("note") == [.null, "n"] && answer.all("stage") == ["new", "new"])
        #expect(answer.text == (try await leads.get("/leads/").text))
    }

    @Test(arguments: [
        (#"[{"email":"a@b","weight":1},{"email":"c","weight":1}]"#, ["1.email"]),
        (
            #"[{},{"email":"c@d","weight":1},{"email":"e@f","weight":"x","y":1}]"#,
            ["0.email", "0.weight", "2.weight", "2.y"]
        ),
        (#"[{"email":"a@b","weight":1},7,[]]"#, ["1.", "2."]),
    ]) func `nothing is created when an element is invalid, and the error contains its index`(
        body: String, wrong: [String]
    )
        async throws
    {
        let answer = try await leads.send(.post, "/leads/", body)
        #expect(answer.status == .unprocessableContent && answer.wrongFields == wrong)
        #expect(answer["message"] == "Not every lead is valid: none was created.")
        #expect(try await leads.get("/leads/").ids.isEmpty)
    }

    @Test func `nothing is created when a row violates a constraint`() async throws {
        let body = #"[{"email":"a@b","weight":1},{"email":"a@b","weight":1}]"#
        #expect(try await leads.send(.post, "/leads/", body).status == .conflict)
        #expect(try await leads.get("/leads/").ids.isEmpty)
    }

    @Test(arguments: [(0, 422), (1, 201), (1000, 201), (1001, 422)])
    func `an array may have 1 to 1000 elements`(count: Int, status: Int) async throws {
        let elements = (0..<count).map { "{\"name\":\"p\($0)\"}" }.joined(separator: ",")
        #expect(try await leads.send(.post, "/parties/", "[\(elements)]").status.code == status)
    }

    @Test func `a filter selects the rows to change`() async throws {
        try await leads.fill(8)
        let answer = try await leads.send(.patch, "/leads/?id[in]=2,4,99", #"{"name":null,"stage":"won"}"#)
        #expect(answer.status == .ok && answer.text == "{\"affected\":2}\n")
        #expect(try await leads.get("/leads/?stage=won").ids == [2, 4])
        #expect(try await leads.get("/leads/2").headers[.eTag] == "\"2\"")
        #expect(try await leads.get("/leads/3").headers[.eTag] == "\"1\"")
        #expect(try await leads.send(.patch, "/leads/?stage=lost", #"{"score":1}"#).text == "{\"affected\":0}\n")
        #expect(try await leads.send(.patch, "/leads/?q=n1", "{}").status == .ok)
        #expect(try await leads.send(.patch, "/leads/?id=1", #"{"score":101}"#).wrongFields == ["score"])
    }

    @Test func `a filter selects the rows to delete`() async throws {
        try await leads.fill(8)
        #expect(try await leads.send(.delete, "/leads/?id[gt]=3&id[ne]=5").text == "{\"affected\":4}\n")
        #expect(try await leads.get("/leads/").ids == [1, 2, 3, 5])
        #expect(try await leads.send(.delete, "/leads/?id=99").text == "{\"affected\":0}\n")
    }

    @Test(arguments: [
        ("", []), ("?", []), ("?q=", []), ("?nothing=1", ["nothing"]), ("?id=1&x=2", ["x"]), ("?id=x", ["id"]),
        ("?id=1&limit=1", ["limit"]), ("?id=1&sort=id&cursor=x", ["sort", "cursor"]), ("?count=true", ["count"]),
        ("?id=1&fields=id", ["fields"]), ("?secret=hush", ["secret"]), ("?limit[x]=1", ["limit[x]"]),
        ("?updated_on[gt]=2000-01-01", ["updated_on[gt]"]), ("?id[gte]=1&stage[gt]=won", ["stage[gt]"]),
    ]) func `a bulk change requires a filter, and accepts no other parameter`(query: String, wrong: [String])
        async throws
    {
        try await leads.fill(3)
        for (method, body) in [(HTTPRequest.Method.patch, #"{"score":50}"#), (.delete, "")] {
            let answer = try await leads.send(method, "/leads/\(query)", body)
            #expect(answer.status == .unprocessableContent && answer.wrongFields == wrong)
        }
        let after = try await leads.get("/leads/")
        #expect(after.ids == [1, 2, 3] && !after.all("score").contains(50))
    }

    // MARK: Idempotency keys

    @Test(arguments: [
        #"{"email":"a@b","weight":1}"#, #"[{"email":"a@b","weight":1},{"email":"c@d","weight":0.1}]"#,
        #"[{"email":"a@b","weight":1}]"#,
    ]) func `a retry with the same idempotency key gets the same response`(body: String) async throws {
        let key: HeaderFields = [.idempotencyKey: "k-1"]
        let first = try await leads.send(.post, "/leads/", body, key)
        #expect(first.status == .created)
        _ = try await leads.send(.patch, "/leads/1", #"{"score":9}"#)
        for _ in 0..<2 {
            let again = try await leads.send(.post, "/leads/", body, key)
            #expect(again.status == first.status && again.body == first.body)
            #expect(again.headers[.location] == first.headers[.location])
            #expect(again.headers[.eTag] == first.headers[.eTag])
        }
        #expect(try await leads.get("/leads/").ids.count == (body.contains("c@d") ? 2 : 1))
    }

    @Test func `another request with the same idempotency key is rejected with 422`() async throws {
        let key: HeaderFields = [.idempotencyKey: "k-1"]
        _ = try await leads.send(.post, "/leads/", #"{"email":"a@b","weight":1}"#, key)
        for body in [#"{"email":"c@d","weight":1}"#, #"{"email":"a@b","weight":1} "#, #"[{"email":"a@b","weight":1}]"#]
        {
            let answer = try await leads.send(.post, "/leads/", body, key)
            #expect(answer.status == .unprocessableContent && answer.wrongFields.isEmpty)
            #expect(answer["message"] == "This Idempotency-Key was used for another request: use a new one.")
        }
        #expect(try await leads.get("/leads/").ids == [1])
    }

    @Test func `an idempotency key is scoped to its resource, and case-sensitive`() async throws {
        let key: HeaderFields = [.idempotencyKey: "k-1"]
        _ = try await leads.send(.post, "/leads/", #"{"email":"a@b","weight":1}"#, key)
        #expect(try await leads.send(.post, "/parties/", #"{"name":"P"}"#, key).status == .created)
        let other = try await leads.send(.post, "/parties/", #"{"name":"P"}"#, [.idempotencyKey: "K-1"])
        #expect(other["id"] == 2)
    }

    @Test func `a rejected request does not consume its idempotency key`() async throws {
        let key: HeaderFields = [.idempotencyKey: "k-1"]
        try await leads.add("a@b")
        for body in ["{", "{}", #"{"email":"a@b","weight":1}"#, #"{"email":"n@n","weight":1,"party_id":7}"#] {
            #expect(try await leads.send(.post, "/leads/", body, key).status.kind == .clientError)
        }
        #expect(try await leads.send(.post, "/leads/", #"{"email":"c@d","weight":1}"#, key).status == .created)
    }

    @Test(arguments: [
        ("k", true), (String(repeating: "k", count: 255), true), ("!~\"", true), ("", false), ("a b", false),
        ("ä", false),
        (String(repeating: "k", count: 256), false),
    ]) func `an idempotency key has 1 to 255 visible ASCII characters`(key: String, isFine: Bool) async throws {
        let answer = try await leads.send(
            .post, "/leads/", #"{"email":"a@b","weight":1}"#, [.idempotencyKey: key])
        #expect(answer.status == (isFine ? .created : .badRequest))
    }

    @Test func `concurrent requests with one idempotency key create one row`() async throws {
        let answers = try await withThrowingTaskGroup(of: TestClient.CollectedResponse.self) { [leads] group in
            for _ in 0..<20 {
                group.addTask {
                    try await leads.send(.post, "/leads/", #"{"email":"a@b","weight":1}"#, [.idempotencyKey: "k"])
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(answers.map(\.text)).count == 1 && answers.allSatisfy { $0.status == .created })
    }
}
