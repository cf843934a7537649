import HTTPTypes
import ORM
import Testing
import Web

@testable import Resources

/// The validation of fields in request bodies, and their effect.
@Suite struct FieldTests {
    private let leads: Leads

    init() throws { leads = try Leads() }

    @Test func `a lead with every field is returned with normalized values`() async throws {
        _ = try await leads.send(.post, "/parties/", #"{"name":"P"}"#)
        let token = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
        let answer = try await leads.send(
            .post, "/leads/",
            #"{"email":" a@b ","name":" N ","note":"n","score":100,"rank":9,"weight":-0.25,"is_open":false,"#
                + #""due_on":"2024-02-29T23:30:00.5-01:00","token":"\#(token.uppercased())","stage":"won","party_id":1}"#
        )
        #expect(answer.status == .created)
        #expect(answer.headers[.location] == "http://localhost:5051/leads/1" && answer.headers[.eTag] == "\"1\"")
        let date = "Mon, 23 Nov 2026 07:33:36 GMT"
        #expect(
            answer.text
                == #"{"created_on":"\#(date)","due_on":"Fri, 01 Mar 2024 00:30:00 GMT","email":"a@b","id":1,"#
                + #""is_open":false,"name":" N ","note":"n","party_id":1,"rank":9,"score":100,"stage":"won","#
                + #""token":"\#(token)","updated_on":"\#(date)","weight":-0.25}"# + "\n")
        #expect(try await leads.get("/leads/1").text == answer.text)
    }

    @Test func `only fields without a default are required`() async throws {
        #expect(try await leads.send(.post, "/leads/", "{}").wrongFields == ["email", "weight"])
        let answer = try await leads.add("a@b")
        #expect(answer.status == .created)
        #expect(answer["name"] == "" && answer["score"] == 0 && answer["is_open"] == true && answer["stage"] == "new")
        #expect(["note", "rank", "token", "party_id"].allSatisfy { answer[$0] == .null })
        #expect(answer["secret"] == nil && answer["version"] == nil)
    }

    @Test(arguments: [
        (
            "email",
            ["null", "1", #""""#, #""a""#, #""a@""#, #""a@b@c""#, #""a @b""#, #""a@\u0000""#, #""\ud800@b""#, "[]"]
        ),
        ("name", ["null", "true", "{}", "\"\(String(repeating: "x", count: 61))\""]),
        ("note", ["1", #""""#, "\"\(String(repeating: "x", count: 101))\"", #""\u0000""#, "false"]),
        (
            "score",
            [
                "null", "-1", "101", "1.0", "1e1", "1E1", #""1""#, "true", "2147483648", "-2147483649",
                "99999999999999999999", "[]",
            ]
        ), ("rank", ["0", "10", "32768", "1.5", #""x""#, "{}"]),
        ("weight", ["null", "1000.5", "-1001", "1e400", "-1e400", #""1""#, "true", "[]"]),
        ("is_open", ["null", "0", "1", #""true""#, "[]"]),
        (
            "due_on",
            [
                "null", "0", #""""#, #""2026""#, #""2026-13-01""#, #""2026-02-29""#, #""2026-11-23T24:00:00Z""#,
                #""2026-11-23T07:33:36""#, #""Mon, 31 Jun 2026 07:33:36 GMT""#, #""now""#, #""infinity""#, "{}",
            ]
        ),
        (
            "token",
            [
                "1", #""""#, #""f81d4fae7dec11d0a76500a0c91e6bf6""#, #""f81d4fae-7dec-11d0-a765-00a0c91e6bf""#,
                #""f81d4fae-7dec-11d0-a765-00a0c91e6bfg""#, #""{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}""#,
                #""+81d4fae-7dec-11d0-a765-00a0c91e6bf6""#,
            ]
        ), ("stage", ["null", #""""#, #""New""#, #""old""#, "0"]), ("party_id", [#""1""#, "1.5", "true", "[1]"]),
        ("id", ["7", "null"]), ("created_on", [#""2026-11-23""#]), ("updated_on", [#""2026-11-23""#, "null"]),
        ("version", ["1"]), ("secret", [#""x""#]), ("partyID", ["1"]), ("", ["1"]), ("Email", [#""a@b""#]),
    ]) func `an invalid value is rejected with 422, with its field`(field: String, values: [String]) async throws {
        try await leads.add("old@x")
        for value in values {
            let body =
                ["email", "weight"].contains(field)
                ? #"{"email":"n@x","weight":1,"\#(field)":\#(value)}"#
                : #"{"\#(field)":\#(value),"email":"n@x","weight":1}"#
            for (method, target) in [(HTTPRequest.Method.post, "/leads/"), (.put, "/leads/1")] {
                let answer = try await leads.send(method, target, body)
                #expect(answer.status == .unprocessableContent && answer.wrongFields == [field], "\(body)")
            }
            // In a merge patch, null resets a field to its default, if it has one.
            let hasDefault = ["name", "score", "is_open", "due_on", "stage"].contains(field)
            guard value != "null" || !hasDefault else { continue }
            let answer = try await leads.send(.patch, "/leads/1", #"{"\#(field)":\#(value)}"#)
            #expect(answer.status == .unprocessableContent && answer.wrongFields == [field], "\(value)")
        }
        #expect(try await leads.get("/leads/").all("email") == ["old@x"])
        #expect(try await leads.get("/leads/1").headers[.eTag] == "\"1\"")
    }

    @Test func `all invalid fields are reported together`() async throws {
        let answer = try await leads.send(.post, "/leads/", #"{"x":1,"rank":0,"email":"a","id":1,"score":"1"}"#)
        #expect(answer.wrongFields == ["email", "score", "rank", "weight", "x", "id"])
        #expect(answer.text.contains(#"{"field":"score","message":"score must be an integer."}"#))
        #expect(answer["message"] == "The lead is not valid.")
    }

    @Test(arguments: ["[1]", "7", "null", "\"x\"", "true", "[[]]"])
    func `a body that is not an object is rejected with 422`(body: String) async throws {
        #expect(try await leads.send(.post, "/leads/", body).status == .unprocessableContent)
        try await leads.add("a@b")
        for method in [HTTPRequest.Method.put, .patch] {
            #expect(try await leads.send(method, "/leads/1", body).status == .unprocessableContent)
        }
    }

    /// A model with a field that cannot be a sort key.
    private struct Unsortable: Model, Hashable {
        var id: Int64
        var rank: Int32?

        struct Columns: Sendable {
            let id = Column(\Unsortable.id, "id", .primaryKey, default: .serial)
            let rank = Column(\Unsortable.rank, "rank", .sortable)
        }

        static let columns = Columns()
        static let primaryKey = columns.id
        static let table = Table("unsortable", columns.id, columns.rank, make: Unsortable.init)
    }

    @Test func `a nullable column cannot be sortable`() async {
        await #expect(processExitsWith: .failure) { _ = Fields<Unsortable>() }
    }

    /// A model with a field that may be empty although it is trimmed.
    private struct Remark: Model, Hashable {
        var id: Int64
        var text: String
        var title: String

        struct Columns: Sendable {
            let id = Column(\Remark.id, "id", .primaryKey, default: .serial)
            let text = Column(\Remark.text, "text", .length(0...50), .trimmed)
            let title = Column(\Remark.title, "title", .length(1...50), .trimmed)
        }

        static let columns = Columns()
        static let primaryKey = columns.id
        static let table = Table("remark", columns.id, columns.text, columns.title, make: Remark.init)
    }

    @Test func `only the schema of a field that must not be empty requires visible text`() throws {
        let operations = ResourceOperations(name: "remark", plural: "remarks", fields: Fields<Remark>())
        guard case .object(let draft) = operations.create.schemas["RemarkDraft"],
            case .object(let fields) = draft["properties"], case .object(let text) = fields["text"],
            case .object(let title) = fields["title"]
        else {
            Issue.record("there is no schema")
            return
        }
        #expect(text["pattern"] == #"^[^\u0000]*$"#)
        #expect(title["pattern"] != text["pattern"])
        #expect(
            try Fields<Remark>().values(["text": " ", "title": "a"], for: .create, of: "remark").assignments.count == 2)
    }

    @Test func `a body must be JSON`() async throws {
        try await leads.add("a@b")
        for (method, target) in [
            (HTTPRequest.Method.post, "/leads/"), (.put, "/leads/1"), (.patch, "/leads/1"), (.patch, "/leads/?id=1"),
        ] {
            #expect(try await leads.send(method, target, "{").status == .badRequest)
            let plain = try await leads.send(method, target, "{}", [.contentType: "text/plain"])
            #expect(plain.status == .unsupportedMediaType)
        }
    }

    // MARK: Replace, change, delete

    @Test func `PUT resets omitted fields to their defaults`() async throws {
        try await leads.add("a@b", #""name":"N","note":"n","score":5,"rank":2,"is_open":false,"stage":"won""#)
        let answer = try await leads.send(.put, "/leads/1", #"{"email":"c@d","weight":2}"#)
        #expect(answer.status == .ok && answer.headers[.eTag] == "\"2\"")
        #expect(answer["email"] == "c@d" && answer["name"] == "" && answer["note"] == .null && answer["score"] == 0)
        #expect(answer["rank"] == .null && answer["is_open"] == true && answer["stage"] == "new")
        #expect(try await leads.send(.put, "/leads/1", #"{"email":"c@d"}"#).wrongFields == ["weight"])
        #expect(try await leads.send(.put, "/leads/2", #"{"email":"x@d","weight":2}"#).status == .notFound)
    }

    @Test(arguments: ["application/json", "application/merge-patch+json"])
    func `a merge patch changes the fields it contains, and null resets them`(type: String) async throws {
        try await leads.add("a@b", #""name":"N","note":"n","score":5,"stage":"won""#)
        let answer = try await leads.send(
            .patch, "/leads/1", #"{"name":null,"note":null,"score":6}"#, [.contentType: type])
        #expect(answer.status == .ok && answer.headers[.eTag] == "\"2\"")
        #expect(answer["name"] == "" && answer["note"] == .null && answer["score"] == 6 && answer["stage"] == "won")
        #expect(try await leads.send(.patch, "/leads/1", #"{"email":null}"#).wrongFields == ["email"])
        #expect(try await leads.send(.patch, "/leads/9", #"{"score":1}"#).status == .notFound)
    }

    @Test func `an empty patch changes nothing`() async throws {
        let made = try await leads.add("a@b")
        let answer = try await leads.send(.patch, "/leads/1", "{}")
        #expect(answer.status == .ok && answer.text == made.text && answer.headers[.eTag] == "\"1\"")
    }

    @Test func `a deleted row is not found any more`() async throws {
        try await leads.add("a@b")
        let answer = try await leads.send(.delete, "/leads/1")
        #expect(answer.status == .noContent && answer.body.isEmpty)
        #expect(try await leads.get("/leads/1").status == .notFound)
        let again = try await leads.send(.delete, "/leads/1")
        #expect(again.status == .notFound && again["message"] == "Lead not found.")
    }

    @Test(arguments: ["x", "-1", "1.0", "%2B1", "%201", "1e3", "%D9%A1"])
    func `an ID that is not digits is rejected with 422`(id: String) async throws {
        for method in [HTTPRequest.Method.get, .put, .patch, .delete] {
            let body = method == .put || method == .patch ? "{}" : ""
            #expect(try await leads.send(method, "/leads/\(id)", body).status == .unprocessableContent)
        }
    }

    @Test func `an ID that is out of range is answered with 404`() async throws {
        #expect(try await leads.get("/leads/99999999999999999999").status == .notFound)
    }

    // MARK: Constraints

    @Test func `a duplicate value of a unique column is rejected with 409, with its field`() async throws {
        try await leads.add("a@b")
        try await leads.add("c@d")
        let body = #"{"email":"a@b","weight":1}"#
        for (method, target, body, field) in [
            (HTTPRequest.Method.post, "/leads/", body, "email"), (.put, "/leads/2", body, "email"),
            (.patch, "/leads/2", #"{"email":"a@b"}"#, "email"),
            (.patch, "/leads/?id[gte]=1", #"{"email":"z@z"}"#, "email"), (.post, "/leads/", "[\(body)]", "0.email"),
            (.post, "/leads/", #"[{"email":"n@n","weight":1},\#(body)]"#, "1.email"),
        ] {
            let answer = try await leads.send(method, target, body)
            #expect(answer.status == .conflict && answer.wrongFields == [field], "\(method) \(target) \(body)")
            #expect(answer["message"] == "email is already taken.")
        }
        #expect(try await leads.get("/leads/").all("email") == ["a@b", "c@d"])
        #expect(try await leads.send(.put, "/leads/1", body).status == .ok)
    }

    @Test func `a reference to a missing row is rejected with 422, with its field`() async throws {
        try await leads.add("a@b")
        _ = try await leads.send(.post, "/parties/", #"{"name":"P"}"#)
        for (method, target, body) in [
            (HTTPRequest.Method.post, "/leads/", #"{"email":"n@n","weight":1,"party_id":2}"#),
            (.put, "/leads/1", #"{"email":"a@b","weight":1,"party_id":2}"#),
            (.patch, "/leads/1", #"{"party_id":2}"#), (.patch, "/leads/?id=1", #"{"party_id":-1}"#),
        ] {
            let answer = try await leads.send(method, target, body)
            #expect(answer.status == .unprocessableContent && answer.wrongFields == ["party_id"])
            #expect(answer["message"] == "party_id refers to a row that does not exist.")
        }
        #expect(try await leads.send(.patch, "/leads/1", #"{"party_id":1}"#).status == .ok)
        #expect(try await leads.send(.patch, "/leads/1", #"{"party_id":null}"#)["party_id"] == .null)
    }

    @Test func `a row that others refer to cannot be deleted`() async throws {
        _ = try await leads.send(.post, "/parties/", #"[{"name":"P"},{"name":"Q"}]"#)
        try await leads.add("a@b", #""party_id":1"#)
        let answer = try await leads.send(.delete, "/parties/1")
        #expect(answer.status == .conflict && answer.wrongFields.isEmpty)
        #expect(answer["message"] == "Other rows refer to this one.")
        #expect(try await leads.send(.delete, "/parties/?id[gt]=0").status == .conflict)
        #expect(try await leads.get("/parties/").ids == [1, 2])
        #expect(try await leads.send(.delete, "/parties/2").status == .noContent)
        _ = try await leads.send(.delete, "/leads/1")
        #expect(try await leads.send(.delete, "/parties/1").status == .noContent)
    }
}
