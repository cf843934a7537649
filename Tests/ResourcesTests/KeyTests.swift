import HTTPTypes
import ORM
import Testing
import Web

@testable import Resources

/// Resources whose primary keys are not generated integers.
@Suite struct KeyTests {
    /// A model whose primary key is text.
    struct Label: Model, Hashable {
        var name: String
        var color: String?

        struct Columns: Sendable {
            let name = Column(\Label.name, "name", .primaryKey, .length(1...50), .filterable)
            let color = Column(\Label.color, "color", .filterable)
        }

        static let columns = Columns()
        static let primaryKey = columns.name
        static let table = Table("label", columns.name, columns.color, make: Label.init)
    }

    /// A model whose primary key is a UUID.
    struct Badge: Model, Hashable {
        var id: UUID
        var rank: Int32

        struct Columns: Sendable {
            let id = Column(\Badge.id, "id", .primaryKey, .filterable)
            let rank = Column(\Badge.rank, "rank", .sortable, default: .value(0))
        }

        static let columns = Columns()
        static let primaryKey = columns.id
        static let table = Table("badge", columns.id, columns.rank, make: Badge.init)
    }

    struct Service<Row: Model>: ResourceService {
        let rows: any Repository<Row>
    }

    private let client: TestClient

    init() throws {
        let repositories = Repositories.inMemory()
        var app = Application()
        try app.mount(Blueprint(resource: "label", Service<Label>(rows: repositories.of())), at: "/labels")
        try app.mount(Blueprint(resource: "badge", Service<Badge>(rows: repositories.of())), at: "/badges")
        client = TestClient(app)
    }

    @Test(arguments: [
        ("a", "a"), ("a b", "a%20b"), ("a/b", "a%2Fb"), ("ä€", "%C3%A4%E2%82%AC"), ("?#%&+", "%3F%23%25%26%2B"),
        ("-._~", "-._~"), ("1", "1"), ("<id>", "%3Cid%3E"),
    ]) func `the path of a row whose key is text is percent-encoded`(name: String, segment: String) async throws {
        let made = try await client.post("/labels/", #"{"name":"\#(name)"}"#)
        #expect(made.status == .created && made.headers[.location] == "http://localhost:5051/labels/\(segment)")
        #expect(try await client.get("/labels/\(segment)").text == made.text)
        #expect(try await client.post("/labels/", #"{"name":"\#(name)"}"#).wrongFields == ["name"])
        let changed = try await client.send(
            .patch, "/labels/\(segment)", headers: [.contentType: "application/json"],
            body: Array(#"{"color":"red"}"#.utf8))
        #expect(changed["color"] == "red")
        #expect(try await client.send(.delete, "/labels/\(segment)").status == .noContent)
        #expect(try await client.get("/labels/\(segment)").status == .notFound)
    }

    @Test func `a key that has no default is required`() async throws {
        #expect(try await client.post("/labels/", "{}").wrongFields == ["name"])
        #expect(try await client.post("/badges/", "{}").wrongFields == ["id"])
        #expect(try await client.post("/badges/", #"{"id":"x"}"#).wrongFields == ["id"])
    }

    @Test func `an ID that is not a UUID is rejected with 422, and an unknown one with 404`() async throws {
        for id in ["x", "1", "f81d4fae7dec11d0a76500a0c91e6bf6"] {
            #expect(try await client.get("/badges/\(id)").status == .unprocessableContent)
        }
        #expect(try await client.get("/badges/\(UUID.random())").status == .notFound)
    }

    @Test(arguments: ["", "id", "-id", "rank", "-rank", "rank,-id", "-rank,-id"])
    func `pages of rows whose key is a UUID contain every row once`(sort: String) async throws {
        let elements = (0..<11).map { #"{"id":"\#(UUID.random())","rank":\#($0 % 3)}"# }
        #expect(try await client.post("/badges/", "[\(elements.joined(separator: ","))]").status == .created)
        let whole = try await client.get("/badges/?sort=\(sort)").all("id")
        var ids: [JSON?] = []
        var target: String? = "/badges/?limit=3&sort=\(sort)"
        while let current = target, ids.count < 30 {
            let page = try await client.get(current)
            ids += page.all("id")
            target = page.next
        }
        #expect(ids == whole && ids.count == 11)
        if sort == "id" || sort.isEmpty {
            let texts = ids.map { if case .string(let text) = $0 { text } else { "" } }
            #expect(texts == texts.sorted())
        }
    }

    @Test func `pages of rows whose key is text contain every row once`() async throws {
        let elements = ["b", "a", "C", "ä", "", " ", "a b"].map { #"{"name":"n\#($0)"}"# }
        #expect(try await client.post("/labels/", "[\(elements.joined(separator: ","))]").status == .created)
        for sort in ["name", "-name"] {
            var names: [JSON?] = []
            var target: String? = "/labels/?limit=2&sort=\(sort)"
            while let current = target, names.count < 30 {
                let page = try await client.get(current)
                names += page.all("name")
                target = page.next
            }
            #expect(names.count == 7)
            #expect(names == (try await client.get("/labels/?sort=\(sort)").all("name")))
        }
    }
}
