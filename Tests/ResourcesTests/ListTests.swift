import HTTPTypes
import ORM
import Testing
import Web

@testable import Resources

/// Lists: filters, order, pages and fields.
@Suite struct ListTests {
    private let leads: Leads

    init() throws { leads = try Leads() }

    private func seed() async throws {
        _ = try await leads.send(.post, "/parties/", #"{"name":"P"}"#)
        let rows = [
            #"{"email":"ann@x","name":"Ann","note":"Blue","score":10,"rank":1,"weight":0.5,"party_id":1,"#
                + #""due_on":"2026-11-01","token":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}"#,
            #"{"email":"bob@x","name":"bob","score":20,"rank":2,"weight":-1,"is_open":false,"stage":"won","#
                + #""due_on":"2026-11-02T12:00:00Z"}"#,
            #"{"email":"c%_@x","name":"100%_Ä","note":"green","score":30,"weight":2,"stage":"lost","due_on":"2026-11-03"}"#,
        ]
        let answer = try await leads.send(.post, "/leads/", "[\(rows.joined(separator: ","))]")
        #expect(answer.status == .created)
    }

    // MARK: Filters

    @Test(arguments: [
        ("", [1, 2, 3]), ("id=2", [2]), ("id=02", [2]), ("id[ne]=2", [1, 3]), ("id[in]=3,1,9", [1, 3]), ("id[in]=", []),
        ("id[gt]=1", [2, 3]), ("id[gte]=2", [2, 3]), ("id[lt]=2", [1]), ("id[lte]=2", [1, 2]),
        ("id[gt]=1&id[lt]=3", [2]), ("id=1&id=2", []), ("id=-1", []), ("id%5Bgt%5D=2", [3]),
        ("email=ann@x", [1]), ("email=ann%40x", [1]), ("email=ANN@x", []), ("email[ne]=ann@x", [2, 3]),
        ("email[in]=ann@x,c%25_@x", [1, 3]), ("name=100%25_%C3%84", [3]), ("name=", []),
        ("note=Blue", [1]), ("note[in]=Blue,green", [1, 3]), ("note[ne]=Blue", [3]),
        ("score=20", [2]), ("score[gte]=20", [2, 3]), ("score[lt]=20", [1]), ("score[in]=10,30", [1, 3]),
        ("score[ne]=10&score[lte]=20", [2]), ("rank=1", [1]), ("rank[ne]=1", [2]), ("rank[in]=1,2", [1, 2]),
        ("weight=0.5", [1]), ("weight=5e-1", [1]), ("weight[lt]=0", [2]), ("weight[gte]=0.5", [1, 3]),
        ("weight[in]=-1,2.0", [2, 3]), ("is_open=true", [1, 3]), ("is_open=false", [2]),
        ("due_on=2026-11-01", [1]), ("due_on[gt]=2026-11-01", [2, 3]), ("due_on[lte]=2026-11-02T12:00:00Z", [1, 2]),
        ("due_on[lt]=2026-11-02T13:00:00+01:00", [1]), ("due_on[lte]=2026-11-02T13:00:00%2B01:00", [1, 2]),
        ("due_on[gte]=Tue,+03+Nov+2026+00:00:00+GMT", [3]), ("created_on[gt]=2026-11-01", [1, 2, 3]),
        ("token=F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", [1]), ("stage=won", [2]), ("stage[ne]=won", [1, 3]),
        ("stage[in]=won,lost", [2, 3]), ("party_id=1", [1]), ("party_id=2", []),
        ("is_open=true&score[gte]=20&stage=lost", [3]),
        ("q=a", [1]), ("q=ANN", [1]), ("q=%25_%C3%A4", [3]), ("q=b", [1, 2]), ("q=green", [3]), ("q=e", [1, 3]),
        ("q=", [1, 2, 3]), ("q=none", []), ("q=b&score[gt]=10", [2]), ("q=n&q=A", [1]), ("q=hush", []),
        ("nothing=1&x[y]=2", [1, 2, 3]), ("secret=hush", [1, 2, 3]), ("secret=x", [1, 2, 3]),
        ("updated_on=x", [1, 2, 3]),
    ]) func `a list contains the rows that match its filters`(query: String, ids: [Int]) async throws {
        try await seed()
        let answer = try await leads.get("/leads/?\(query)")
        #expect(answer.status == .ok && answer.ids == ids, "\(answer.text)")
        let counted = try await leads.get("/leads/?limit=1&count=true&\(query)")
        #expect(counted.headers[.totalCount] == String(ids.count))
        #expect(counted.ids == Array(ids.prefix(1)))
    }

    @Test(arguments: [
        "id=x", "id=", "id=1.0", "id=99999999999999999999", "id[in]=1,x", "id[like]=1", "id[]=1", "id[eq]=1",
        "email=%00", "name[gt]=a", "note[lt]=a", "score=2147483648", "score[gt]=x", "rank[gt]=1", "rank=x", "weight=x",
        "weight=inf", "weight=nan", "weight=0x10", "weight=1e999", "weight=", "weight=+1", "is_open=1", "is_open=True",
        "is_open[ne]=true", "is_open[in]=true", "due_on=yesterday", "due_on[gt]=2026-02-30", "token=x", "token[gt]=x",
        "stage=Won", "stage[in]=won,x", "stage[gt]=won", "party_id=x", "party_id[gte]=1", "limit=0", "limit=1001",
        "limit=x", "limit=", "limit=-1", "limit=%2B1", "limit=1.0", "sort=x", "sort=secret", "sort=note",
        "sort=is_open",
        "sort=updated_on", "sort=--id", "sort=-", "sort=,", "sort=id,", "sort=score,name", "sort=id,score",
        "sort=id,id",
        "sort=score,id,name", "sort=score,-score", "sort=version", "sort=%20id", "count=1", "count=", "fields=",
        "fields=x", "fields=id,", "fields=id,,name", "fields=secret", "fields=id,version", "fields=ID", "q=%00",
    ]) func `an invalid parameter is rejected with 422, with its name`(query: String) async throws {
        try await seed()
        let answer = try await leads.get("/leads/?\(query)")
        #expect(answer.status == .unprocessableContent, "\(answer.text)")
        #expect(answer.wrongFields == [String(query.prefix { $0 != "=" })])
        #expect(answer["message"] == "The query is not valid.")
    }

    @Test func `a filter accepts at most 1000 values`() async throws {
        try await seed()
        let ids = (1...1000).map { String($0) }.joined(separator: ",")
        #expect(try await leads.get("/leads/?id[in]=\(ids)").ids == [1, 2, 3])
        #expect(try await leads.get("/leads/?id[in]=\(ids),1001").wrongFields == ["id[in]"])
    }

    @Test func `all invalid parameters are reported together`() async throws {
        let answer = try await leads.get("/leads/?score=x&limit=0&sort=y&cursor=z&nothing=1")
        #expect(answer.wrongFields == ["score", "limit", "sort", "cursor"])
    }

    @Test(arguments: [
        ("due_on=2026-11-23T07:33:36Z", true), ("due_on=Mon,+23+Nov+2026+07:33:36+GMT", true),
        ("due_on=2026-11-23T07:33:36.5Z", true), ("due_on=2026-11-23T07:33:36.4Z", false),
        ("due_on=2026-11-23T07:33:37Z", false), ("due_on=2026-11-23T07:33:35Z", false),
        ("due_on[ne]=2026-11-23T07:33:36Z", false), ("due_on[ne]=2026-11-23T07:33:37Z", true),
        ("due_on[gt]=2026-11-23T07:33:36Z", false), ("due_on[gte]=2026-11-23T07:33:36Z", true),
        ("due_on[lte]=2026-11-23T07:33:36Z", true), ("due_on[lt]=2026-11-23T07:33:36Z", false),
        ("due_on[gt]=2026-11-23T07:33:36.4Z", true), ("due_on[in]=2026-11-23T07:33:36Z,2026-11-25", true),
        ("due_on[in]=2026-11-23T07:33:35Z", false), ("due_on[in]=2026-11-23T07:33:36.5Z", true),
        ("due_on[in]=2026-11-25,2026-11-23T07:33:36.5Z", true),
    ]) func `a time in a filter without a fraction matches the whole second`(query: String, isFound: Bool)
        async throws
    {
        let made = try await leads.add("t@x", #""due_on":"2026-11-23T07:33:36.500000Z""#)
        #expect(made["due_on"] == "Mon, 23 Nov 2026 07:33:36 GMT")
        #expect(try await leads.get("/leads/?\(query)").ids == (isFound ? [1] : []))
    }

    /// A model with a nullable time.
    struct Offer: Model, Hashable {
        var id: Int64
        var endsOn: Timestamp?

        struct Columns: Sendable {
            let id = Column(\Offer.id, "id", .primaryKey, default: .serial)
            let endsOn = Column(\Offer.endsOn, "ends_on", .filterable)
        }

        static let columns = Columns()
        static let primaryKey = columns.id
        static let table = Table("offer", columns.id, columns.endsOn, make: Offer.init)
    }

    private struct OfferService: ResourceService {
        let rows: any Repository<Offer>
    }

    @Test(arguments: [
        ("ends_on=2026-11-23T07:33:36Z", [1]), ("ends_on=2026-11-23T07:33:36.5Z", [1]),
        ("ends_on=2026-11-23T07:33:36.4Z", []), ("ends_on=2026-11-23T07:33:37Z", [2]),
        ("ends_on[ne]=2026-11-23T07:33:36Z", [2]), ("ends_on[ne]=2026-11-23T07:33:37Z", [1]),
        ("ends_on[ne]=2026-11-24", [1, 2]), ("ends_on[in]=2026-11-23T07:33:36Z,2026-11-25", [1]),
        ("ends_on[in]=2026-11-25,2026-11-23T07:33:36.5Z", [1]),
        ("ends_on[in]=2026-11-23T07:33:36Z,2026-11-23T07:33:37Z", [1, 2]),
    ]) func `so does a time in a filter of a nullable column, and NULL matches no time`(query: String, ids: [Int])
        async throws
    {
        var app = Application()
        try app.mount(
            Blueprint(resource: "offer", OfferService(rows: Repositories.inMemory().of())), at: "/offers")
        let client = TestClient(app)
        let rows = #"[{"ends_on":"2026-11-23T07:33:36.5Z"},{"ends_on":"2026-11-23T07:33:37.5Z"},{"ends_on":null}]"#
        #expect(try await client.post("/offers/", rows).status == .created)
        #expect(try await client.get("/offers/?\(query)").ids == ids)
        let deleted = try await client.send(.delete, "/offers/?\(query)")
        #expect(deleted.text == "{\"affected\":\(ids.count)}\n")
    }

    @Test func `the length of a search is limited`() async throws {
        try await seed()
        let text = String(repeating: "é", count: 255)
        let encoded = String(repeating: "%C3%A9", count: 255)
        #expect(try await leads.get("/leads/?q=\(encoded)").ids == [])
        for query in ["q=\(encoded)a", "q=\(encoded)&q=a", Array(repeating: "q=ab", count: 200).joined(separator: "&")]
        {
            let answer = try await leads.get("/leads/?\(query)")
            #expect(answer.status == .unprocessableContent && Set(answer.wrongFields) == ["q"], "\(text.count)")
        }
    }

    @Test func `a cursor with text that cannot be stored is rejected with 422`() async throws {
        try await seed()
        let next = try await leads.get("/leads/?limit=1&sort=name").next ?? ""
        let cursor = try #require(PageCursor(next.split(separator: "cursor=").last.map(String.init) ?? ""))
        for text in [[0], [0x61, 0], [0xff]] as [[UInt8]] {
            let forged = PageCursor(fingerprint: cursor.fingerprint, position: [text, cursor.position[1]]).text
            let answer = try await leads.get("/leads/?limit=1&sort=name&cursor=\(forged)")
            #expect(answer.status == .unprocessableContent && answer.wrongFields == ["cursor"])
        }
    }

    @Test func `a long list is answered with 505 over HTTP 1.0, where clients cannot detect a truncated body`()
        async throws
    {
        try await leads.fill(101)
        for (target, status) in [
            ("/leads/", 505), ("/leads/?score[gte]=0", 505), ("/leads/?limit=100", 200), ("/leads/1", 200),
        ] {
            for accept in ["application/json", "text/csv"] where status == 505 || accept == "application/json" {
                var request = Request(method: .get, target: target, headers: [.accept: accept])
                request.isHTTP10 = true
                let response = await leads.app.respond(to: request)
                #expect(response.status.code == status, "\(target) \(accept)")
            }
        }
    }

    @Test(arguments: [
        "limit=1&limit=1", "sort=id&sort=id", "limit=1&cursor=a&cursor=a", "count=true&count=false",
        "fields=id&fields=name",
    ])
    func `a repeated page parameter is rejected with 422`(query: String) async throws {
        #expect(try await leads.get("/leads/?\(query)").status == .unprocessableContent)
    }

    @Test(arguments: [
        ("nothing=1", ["nothing"]), ("score[x]=1&y=2", ["score[x]", "y"]), ("secret=hush", ["secret"]),
        ("updated_on=2026-11-01", ["updated_on"]), ("limit[x]=1", ["limit[x]"]), ("Q=1", ["Q"]), ("=1", [""]),
    ]) func `with strict handling an unknown parameter is rejected with 422`(query: String, wrong: [String])
        async throws
    {
        let answer = try await leads.get("/leads/?\(query)", [.prefer: "handling=strict"])
        #expect(answer.status == .unprocessableContent && answer.wrongFields == wrong)
    }

    @Test func `strict handling is confirmed in Preference-Applied`() async throws {
        try await seed()
        let query = "/leads/?score[gte]=10&q=a&limit=1&sort=-score,id&count=true&fields=id"
        let answer = try await leads.get(query, [.prefer: "handling=strict"])
        #expect(answer.status == .ok && answer.headers[.preferenceApplied] == "handling=strict")
        #expect(try await leads.get(query).headers[.preferenceApplied] == nil)
    }

    @Test func `without searchable fields q is an unknown parameter`() async throws {
        #expect(try await leads.get("/parties/?q=x").status == .ok)
        let strict = try await leads.get("/parties/?q=x", [.prefer: "handling=strict"])
        #expect(strict.wrongFields == ["q"])
    }

    @Test(arguments: [
        ("id", "[{\"id\":1}]\n"), ("name,id", "[{\"id\":1,\"name\":\"Ann\"}]\n"), ("id,id", "[{\"id\":1}]\n"),
        ("note,rank,token", #"[{"note":"Blue","rank":1,"token":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}]"# + "\n"),
        ("weight", "[{\"weight\":0.5}]\n"),
    ]) func `the requested fields are written, sorted by name`(names: String, text: String) async throws {
        try await seed()
        #expect(try await leads.get("/leads/?id=1&fields=\(names)").text == text)
        #expect(try await leads.get("/leads/?limit=1&fields=\(names)").text == text)
    }

    @Test func `count returns the total number, regardless of the page`() async throws {
        try await leads.fill(7)
        #expect(try await leads.get("/leads/?limit=2&count=true").headers[.totalCount] == "7")
        #expect(try await leads.get("/leads/?count=true&score[gt]=99").headers[.totalCount] == "0")
        #expect(try await leads.get("/leads/?count=false").headers[.totalCount] == nil)
        #expect(try await leads.get("/leads/").headers[.totalCount] == nil)
    }

    // MARK: Pages

    private static let sorts: [String] = {
        let names = ["id", "-id"]
        let others = ["email", "name", "score", "weight", "due_on", "created_on"].flatMap { name in
            ["", "-"].flatMap { sign in ["", ",id", ",-id"].map { sign + name + $0 } }
        }
        return names + others
    }()

    @Test(arguments: sorts) func `pages contain every row once, in the order of the whole list`(sort: String)
        async throws
    {
        try await leads.fill(23)
        let whole = try await leads.get("/leads/?sort=\(sort)")
        #expect(whole.status == .ok && whole.headers[.link] == nil && Set(whole.ids) == Set(1...23))
        for limit in [1, 4, 22, 23, 24] {
            var (ids, pages) = ([Int](), 0)
            var target: String? = "/leads/?sort=\(sort)&limit=\(limit)"
            while let current = target, pages < 30 {
                let page = try await leads.get(current)
                #expect(page.status == .ok)
                ids += page.ids
                (target, pages) = (page.next, pages + 1)
            }
            #expect(ids == whole.ids && pages == (23 + limit - 1) / limit)
        }
    }

    @Test func `rows are sorted by the field, then by the primary key`() async throws {
        try await seed()
        #expect(try await leads.get("/leads/?sort=-score").ids == [3, 2, 1])
        #expect(try await leads.get("/leads/?sort=weight").ids == [2, 1, 3])
        #expect(try await leads.get("/leads/?sort=name").ids == [3, 1, 2])
        #expect(try await leads.get("/leads/?sort=created_on").ids == [1, 2, 3])
        #expect(try await leads.get("/leads/?sort=-created_on").ids == [1, 2, 3])
        #expect(try await leads.get("/leads/?sort=-created_on,-id").ids == [3, 2, 1])
        #expect(try await leads.get("/leads/?sort=").ids == [1, 2, 3])
    }

    @Test func `the link to the next page keeps the other parameters unchanged`() async throws {
        try await leads.fill(5)
        let target = "/leads/?limit=2&score%5Bgte%5D=0&q=&x=%20+&fields=id"
        let next = try #require(try await leads.get(target).next)
        #expect(next.hasPrefix(target + "&cursor="))
        let second = try await leads.get(next)
        #expect(second.ids == [3, 4])
        #expect(second.next?.split(separator: "cursor=").count == 2)
        let last = try await leads.get(try #require(second.next))
        #expect(last.ids == [5] && last.headers[.link] == nil)
    }

    @Test func `a page may have another size, other fields and another media type than the previous one`() async throws
    {
        try await leads.fill(5)
        let next = try #require(try await leads.get("/leads/?limit=2").next)
        #expect(try await leads.get(next.replacing("limit=2", with: "limit=1")).ids == [3])
        #expect(try await leads.get(next + "&fields=id&count=true").text == "[{\"id\":3},{\"id\":4}]\n")
        let csv = try await leads.get(next + "&fields=id", [.accept: "text/csv"])
        #expect(csv.text == "id\r\n3\r\n4\r\n" && csv.next != nil)
    }

    @Test(arguments: [
        "sort=-id", "sort=score", "sort=-score,-id", "sort=score,-id", "sort=-score&score=1", "sort=-score&id[gt]=0",
        "sort=-score&name=n1&score[gte]=0", "sort=-score&name[ne]=n1", "sort=-score&score[gte]=1",
        "sort=-score&score[gte]=0&score[gte]=0", "sort=-score&q=n&score[gte]=0",
        "sort=-score&name=%26score%5Bgte%5D%3D0",
    ]) func `a cursor of a list with another order or other filters is rejected with 422`(other: String) async throws {
        try await leads.fill(9)
        let next = try #require(try await leads.get("/leads/?limit=2&sort=-score&score[gte]=0").next)
        let cursor = try #require(next.split(separator: "cursor=").last)
        let answer = try await leads.get("/leads/?limit=2&\(other)&cursor=\(cursor)")
        #expect(answer.status == .unprocessableContent && answer.wrongFields == ["cursor"])
        #expect(try await leads.get("/leads/?limit=2&sort=-score,id&score[gte]=0&cursor=\(cursor)").status == .ok)
        #expect(try await leads.get("/parties/?limit=2&cursor=\(cursor)").status == .unprocessableContent)
    }

    @Test func `a filter whose value looks like another filter has its own cursors`() async throws {
        try await leads.fill(9)
        let next = try #require(try await leads.get("/leads/?limit=1&name=n1&score[gte]=0").next)
        let cursor = try #require(next.split(separator: "cursor=").last)
        let answer = try await leads.get("/leads/?limit=1&name=n1%26score%5Bgte%5D=0&cursor=\(cursor)")
        #expect(answer.wrongFields == ["cursor"])
    }

    @Test func `a cursor of another resource is rejected with 422`() async throws {
        try await leads.fill(3)
        let next = try #require(try await leads.get("/leads/?limit=1").next)
        let answer = try await leads.get(next.replacing("/leads/", with: "/parties/"))
        #expect(answer.status == .unprocessableContent && answer.wrongFields == ["cursor"])
    }

    @Test func `a cursor requires a limit`() async throws {
        try await leads.fill(3)
        let next = try #require(try await leads.get("/leads/?limit=2").next)
        let answer = try await leads.get(next.replacing("limit=2&", with: ""))
        #expect(answer.status == .unprocessableContent && answer.wrongFields == ["cursor"])
    }

    @Test func `a cursor with any byte changed is rejected with 422`() async throws {
        try await leads.fill(9)
        let next = try #require(try await leads.get("/leads/?limit=2&sort=-name").next)
        let (start, cursor) = (next.prefix(next.count - (next.split(separator: "cursor=").last ?? "").count), next.utf8)
        let bytes = Array(cursor.suffix(next.utf8.count - start.utf8.count))
        var damaged: [[UInt8]] = [[], Array(bytes.dropLast()), Array(bytes.dropFirst()), bytes + [0x41], bytes + bytes]
        for index in bytes.indices {
            for byte in "AQgw_-z".utf8 where byte != bytes[index] {
                damaged.append(bytes)
                damaged[damaged.count - 1][index] = byte
            }
            for byte in "=.*%".utf8 {
                damaged.append(bytes)
                damaged[damaged.count - 1][index] = byte
            }
        }
        for cursor in damaged {
            let answer = try await leads.get(start + String(decoding: cursor, as: UTF8.self))
            #expect(answer.status == .unprocessableContent && answer.wrongFields == ["cursor"])
        }
    }

    @Test(arguments: [[], [nil], [[0, 0, 0, 0, 0, 0, 0, 2], nil], [[1]], [nil, nil]] as [[[UInt8]?]])
    func `a cursor whose values do not fit the sort columns is rejected with 422`(position: [[UInt8]?]) async throws {
        try await leads.fill(3)
        let next = try #require(try await leads.get("/leads/?limit=1&sort=id").next)
        let (start, text) = (next.split(separator: "cursor=")[0], String(next.split(separator: "cursor=")[1]))
        let cursor = PageCursor(fingerprint: try #require(PageCursor(text)).fingerprint, position: position)
        let answer = try await leads.get("\(start)cursor=\(cursor.text)")
        #expect(answer.status == .unprocessableContent && answer.wrongFields == ["cursor"])
    }

    @Test func `inserted and deleted rows do not shift the following pages`() async throws {
        try await leads.fill(9)
        let first = try await leads.get("/leads/?limit=3")
        _ = try await leads.send(.delete, "/leads/?id[lte]=3")
        try await leads.add("new@x")
        #expect(try await leads.get(try #require(first.next)).ids == [4, 5, 6])
    }

    // MARK: Media types

    @Test func `a list is available as CSV`() async throws {
        try await seed()
        for query in ["", "?limit=9"] {
            let answer = try await leads.get("/leads/" + query, [.accept: "text/csv"])
            #expect(answer.headers[.contentType] == "text/csv; charset=utf-8; header=present")
            #expect(answer.headers[.vary]?.contains("Accept") == true)
            let date = #""Mon, 23 Nov 2026 07:33:36 GMT""#
            #expect(
                answer.text
                    == "created_on,due_on,email,id,is_open,name,note,party_id,rank,score,stage,token,updated_on,weight\r\n"
                    + #"\#(date),"Sun, 01 Nov 2026 00:00:00 GMT",ann@x,1,true,Ann,Blue,1,1,10,new,"#
                    + "f81d4fae-7dec-11d0-a765-00a0c91e6bf6,\(date),0.5\r\n"
                    + #"\#(date),"Mon, 02 Nov 2026 12:00:00 GMT",bob@x,2,false,bob,,,2,20,won,,\#(date),-1.0"# + "\r\n"
                    + #"\#(date),"Tue, 03 Nov 2026 00:00:00 GMT",c%_@x,3,true,100%_Ä,green,,,30,lost,,\#(date),2.0"#
                    + "\r\n")
        }
    }

    @Test(arguments: [
        (#"a"b"#, #""a""b""#), ("a,b", "\"a,b\""), ("a\r\nb", "\"a\r\nb\""), ("a\nb", "\"a\nb\""),
        ("\"", "\"\"\"\""), ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"),
        ("\rx", "\"'\rx\""), ("=A1,B1", "\"'=A1,B1\""), ("a=1", "a=1"), ("'x", "'x"), (" =1", " =1"), ("", ""),
    ]) func `CSV cells are quoted, and formulas are disarmed`(name: String, cell: String) async throws {
        var json = JSONWriter()
        name.write(to: &json)
        let text = String(decoding: json.finish(), as: UTF8.self)
        let made = try await leads.send(.post, "/leads/", #"{"email":"a@b","name":\#(text),"weight":-2}"#)
        #expect(made.status == .created, "\(made.text)")
        let answer = try await leads.get("/leads/?fields=name,weight", [.accept: "text/csv"])
        #expect(answer.text == "name,weight\r\n\(cell),-2.0\r\n")
    }

    @Test func `an empty list is an empty array, or only a CSV header`() async throws {
        for query in ["", "?limit=3", "?id=7"] {
            #expect(try await leads.get("/leads/" + query).text == "[]\n")
            #expect(try await leads.get("/leads/\(query)", [.accept: "text/csv"]).text.hasSuffix("weight\r\n"))
        }
    }

    @Test func `a streamed list has the same content as a buffered one, as JSON and as CSV`() async throws {
        try await leads.fill(450)
        let json = try await leads.get("/leads/?fields=id")
        #expect(json.ids == Array(1...450) && json.headers[.contentType] == "application/json")
        let page = try await leads.get("/leads/?fields=id&limit=1000")
        #expect(page.text == json.text && page.headers[.link] == nil)
        let empty = try await leads.get("/leads/?fields=note&limit=2", [.accept: "text/csv"])
        #expect(empty.text == "note\r\n\"\"\r\n\"\"\r\n")
        let csv = try await leads.get("/leads/?fields=id", [.accept: "text/csv"])
        #expect(csv.text == "id\r\n" + (1...450).map { "\($0)\r\n" }.joined())
    }

    @Test(arguments: [("text/html", "/leads/"), ("text/html", "/leads/1"), ("text/csv", "/leads/1")])
    func `a media type that is not available is rejected with 406`(accept: String, target: String) async throws {
        try await leads.add("a@b")
        #expect(try await leads.get(target, [.accept: accept]).status == .notAcceptable)
        let post = try await leads.send(.post, "/leads/", #"{"email":"n@n","weight":1}"#, [.accept: "text/html"])
        #expect(post.status == .notAcceptable)
        #expect(try await leads.get("/leads/").ids == [1])
    }
}
