import EventLoop
import Foundation
import HTTPTypes
import Migrations
import ORM
import Postgres
import SQL
import TestSupport
import Testing
import Web

@testable import AktifyAPI

/// The statements of each route are known: a baseline file lists them.
@Suite struct QueryTests {
    /// A request for each code path of each route.
    static let requests: [Ask] = [
        Ask(.get, "/"), Ask(.get, "/healthz"), Ask(.get, "/readyz"), Ask(.get, "/me"), Ask(.get, "/openapi.json"),
        Ask(.get, "/campaigns/"), Ask(.get, "/campaigns/?limit=2"),
        Ask(.get, "/campaigns/?limit=2&sort=-created_on,id&count=true"),
        Ask(.get, "/campaigns/?q=One&is_active=true&created_on[gte]=2020-01-01&id[in]=1,2&name[ne]=x"),
        Ask(.get, "/campaigns/1"), Ask(.get, "/campaigns/1001"),
        Ask(.post, "/campaigns/", #"{"name":"Spring"}"#),
        Ask(.post, "/campaigns/", #"[{"name":"Summer"},{"name":"Autumn"}]"#),
        Ask(.post, "/campaigns/", #"{"name":"Winter"}"#, [.idempotencyKey: "a"]),
        Ask(.post, "/campaigns/", #"{"name":"Winter"}"#, [.idempotencyKey: "a"]),
        Ask(.put, "/campaigns/1", #"{"name":"One"}"#), Ask(.patch, "/campaigns/1", #"{"name":"Uno"}"#),
        Ask(.patch, "/campaigns/1", "{}"), Ask(.patch, "/campaigns/1", #"{"name":"x"}"#, [.ifMatch: "\"9\""]),
        Ask(.get, "/campaigns/1/history"), Ask(.get, "/campaigns/1/history?limit=1"),
        Ask(.delete, "/campaigns/1", nil, [.ifMatch: "\"3\""]), Ask(.delete, "/campaigns/2"),
        Ask(.patch, "/campaigns/?id[in]=3,4", #"{"is_active":false}"#), Ask(.delete, "/campaigns/?is_active=false"),
    ]

    /// A request. Its body, if any, is JSON.
    struct Ask: Sendable {
        let method: HTTPRequest.Method
        let target: String
        let body: String?
        let headers: HeaderFields

        init(_ method: HTTPRequest.Method, _ target: String, _ body: String? = nil, _ headers: HeaderFields = [:]) {
            (self.method, self.target, self.body, self.headers) = (method, target, body, headers)
        }
    }

    /// Compares the statements of each route with queries.txt. `UPDATE_QUERIES=1` rewrites that file.
    @Test func `the statements of each route are those of the baseline`() throws {
        let file = "\(checkout)/Tests/FeatureTests/queries.txt"
        try withApp { client, database in
            try database.sql("INSERT INTO campaign (name) VALUES ('One'), ('Two'), ('Three'), ('Four')")
            var lines: [String] = []
            for ask in Self.requests {
                var headers = ask.headers
                if ask.body != nil { headers[.contentType] = "application/json" }
                let answer = try await client.send(ask.method, ask.target, headers: headers, body: ask.body ?? "")
                let fields = ask.headers.map { " \($0.name): \($0.value)" }.joined()
                lines += ["\(ask.method) \(ask.target)\(fields) -> \(answer.status.code)"]
                lines += answer.statements.map { "    \($0.statement.text)" }
            }
            let text = lines.joined(separator: "\n") + "\n"
            if ProcessInfo.processInfo.environment["UPDATE_QUERIES"] == "1" {
                try Data(text.utf8).write(to: URL(filePath: file))
            }
            let baseline = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
            #expect(text == baseline, "a statement has changed: if it should, run UPDATE_QUERIES=1 make test")
        }
    }

    @Test func `the plan for more rows is not JIT-compiled because of its artificial cost`() throws {
        let database = try migratedDatabase()
        try database.sql(
            """
            INSERT INTO campaign (name) SELECT 'c' FROM generate_series(1, 2000);
            ALTER TABLE campaign DROP CONSTRAINT campaign_pkey CASCADE
            """)
        let configuration = database.directConfiguration()
        let plan = try Loop.run {
            try await Database.explaining(configuration) { database in
                try await database.all(Campaign.all.ordered { [$0.id.ascending] }).count
            }.1.first?.planForMoreRows
        }
        #expect(plan?.contains("Seq Scan") == true && plan?.contains("\"JIT\"") == false)
    }

    @Test func `explain rolls back a nested transaction that fails, and restores the sequence it used`() throws {
        struct Refused: Error {}
        let database = try migratedDatabase()
        let configuration = database.directConfiguration()
        let (counts, explanations) = try Loop.run {
            try await Database.explaining(configuration) { database in
                var counts: [Int] = []
                for (name, fails) in [("a", true), ("b", false), ("c", true)] {
                    try? await database.transaction { inner in
                        _ = try await inner.insert(Campaign.ColumnValues(name: name))
                        if fails { throw Refused() }
                    }
                    counts.append(try await database.all(Campaign.all.ordered { [$0.id.ascending] }).count)
                }
                return counts
            }
        }
        #expect(counts == [0, 1, 1])
        #expect(explanations.count == 6 && explanations.allSatisfy { $0.plan != nil })
        #expect(try database.sql("SELECT nextval('campaign_id_seq')") == "1")
    }

    @Test func `every route is in the baseline`() throws {
        let app = try createApp(.init(environment: [:], readFile: { _ in nil }), repositories: .inMemory())
        let asked = Set(Self.requests.map { "\($0.method) \(app.route(of: $0.method, $0.target)?.path ?? "")" })
        let all = Set(app.routes.map { "\($0.method) \($0.path)" })
        #expect(all.subtracting(asked).isEmpty, "add requests for these to QueryTests.requests")
    }

    @Test func `a request with one query per row (N+1) fails its test with the statement and its call site`() throws {
        let database = try migratedDatabase()
        try Loop.run {
            let campaigns = PostgresRepository<Campaign>(Database(try database.configuration()))
            for name in ["a", "b", "c"] { _ = try await campaigns.insert(Campaign.ColumnValues(name: name)) }
            var blueprint = Blueprint("naive")
            blueprint.get("/") { _ in
                let ids = try await campaigns.all(Campaign.all.ordered { [$0.id.ascending] }).map(\.id)
                for id in ids { _ = try await campaigns.find(id) }
                return Response(.ok)
            }
            var app = Application()
            try app.mount(blueprint, at: "/")
            let client = RecordingClient(app, database.directConfiguration())
            do {
                _ = try await client.get("/")
                Issue.record("nothing was said")
            } catch let error as RepeatedStatement {
                #expect(error.description.contains("ran 3 times") && error.description.contains("WHERE id = $1"))
                #expect(error.description.contains("FeatureTests/QueryTests.swift:"))
            }
        }
    }

    @Test func `the number of statements is the same for one row and for fifty`() throws {
        try withApp { client, database in
            for count in [1, 49] {
                try database.sql("INSERT INTO campaign (name) SELECT 'c' FROM generate_series(1, \(count))")
                try await expectQueries(1) { _ = try await client.get("/campaigns/") }
            }
        }
    }

    @Test func `an unexpected number of statements is an error that lists all of them`() throws {
        let database = try migratedDatabase()
        try Loop.run {
            let campaigns = PostgresRepository<Campaign>(Database(try database.configuration()))
            await #expect(throws: UnexpectedQueries.self) {
                try await expectQueries(2) { _ = try await campaigns.find(1) }
            }
        }
    }

    @Test func `a recorded statement has its text, call site and duration, and no values`() throws {
        let database = try migratedDatabase()
        try Loop.run {
            let campaigns = PostgresRepository<Campaign>(Database(try database.configuration()))
            let (_, statements) = try await recordingQueries {
                _ = try await campaigns.insert(Campaign.ColumnValues(name: "secret"))
                _ = try await campaigns.all(Campaign.where { $0.name == "secret" })
                _ = try? await campaigns.insert(Campaign.ColumnValues(name: String(repeating: "x", count: 256)))
            }
            #expect(statements.map(\.rows) == [1, 1, 0])
            #expect(statements.map(\.error) == [nil, nil, "22001"])
            #expect(statements[0].fingerprint == statements[2].fingerprint)
            #expect(statements[0].fingerprint != statements[1].fingerprint && statements[0].fingerprint.count == 16)
            #expect(statements.allSatisfy { $0.executing > .zero && $0.waiting >= .zero })
            #expect(statements[0].wasPrepared == TestDatabase.isPooled)
            let line = statements[0].description
            #expect(line.contains("INSERT INTO campaign") && line.contains("FeatureTests/QueryTests.swift:"))
            #expect(line.contains("$1: 6 bytes") && !line.contains("secret"))
        }
    }

    @Test func `the last statement of a recorded batch has the durations of the whole batch`() throws {
        let database = try migratedDatabase()
        try Loop.run {
            let database = Database(try database.configuration())
            let (_, statements) = try await recordingQueries { try await database.execute(["SELECT 1", "SELECT 2"]) }
            #expect(statements.count == 2 && statements[0].waiting == .zero && statements[0].executing == .zero)
            #expect(statements[1].waiting > .zero && statements[1].executing > .zero)
        }
    }

    @Test func `in development a response reports the cost of its statements`() throws {
        try withApp(["APP_ENV": "development"]) { client, _ in
            let timing = try #require(HTTPField.Name("Server-Timing"))
            let list = try await client.get("/campaigns/")
            #expect(list.headers[timing]?.wholeMatch(of: /db;dur=\d+\.\d;desc="1 query"/) != nil)
            let root = try await client.get("/")
            #expect(root.headers[timing] == #"db;dur=0.0;desc="0 queries""#)
        }
        try withApp { client, _ in
            let list = try await client.get("/campaigns/")
            #expect(list.headers.allSatisfy { $0.name.canonicalName != "server-timing" })
        }
    }

    @Test func `the columns of a model are at their declared positions`() {
        #expect(Campaign.table.misplacedColumns.isEmpty)
        struct Swapped: Sendable {
            var first: String
            var second: String
        }
        let table = Table(
            "swapped", Column(\Swapped.second, "second"), Column(\Swapped.first, "first"),
            make: { Swapped(first: $0, second: $1) })
        #expect(table.misplacedColumns == ["first", "second"])
    }

    @Test func `rows with an array column are inserted together, each with its own array`() throws {
        let database = try migratedDatabase()
        try database.sql(Tagged.table.definition.creation.joined(separator: ";"))
        let configuration = try database.configuration()
        let tags: [[String]] = [["a", "b"], [], ["c"]]
        let inserted = try Loop.run {
            let rows = PostgresRepository<Tagged>(Database(configuration))
            return try await rows.insert(many: tags.map { ColumnValues([Tagged.columns.tags.set(to: $0)]) })
        }
        #expect(inserted.map(\.tags) == tags)
    }

    @Test func `a column with a single permitted value can be checked for its position`() {
        enum Kind: String, Enumeration { case standard }
        struct Plan: Sendable {
            var kind: Kind
            var name: String
        }
        let table = Table("plan", Column(\Plan.kind, "kind"), Column(\Plan.name, "name"), make: Plan.init)
        #expect(table.misplacedColumns.isEmpty)
    }

    @Test func `the migrations produce the schema that the models describe`() throws {
        let configuration = try migratedDatabase().directConfiguration()
        let changes = try Loop.run {
            let (actual, wanted) = try await Catalog.compared(metadata, configuration)
            return Differences(actual: actual, wanted: wanted).changes
        }
        #expect(changes.map(\.summary).isEmpty)
    }
}

/// An index supports every sort order and filter of a list: `RecordingClient` checks each statement.
@Suite struct ListStatementTests {
    private static let sorts = ["id", "name", "created_on", "updated_on"].flatMap { name in
        name == "id"
            ? ["id", "-id"] : [name, "-\(name)", "\(name),id", "-\(name),id", "\(name),-id", "-\(name),-id"]
    }

    @Test(arguments: sorts) func `pages are consecutive in every sort order, and use an index`(sort: String) throws {
        try withApp { client, database in
            try database.sql(
                "INSERT INTO campaign (name, created_on, updated_on) SELECT 'n' || n % 3, timestamp '2026-01-01' + n % 2 * interval '1 h', "
                    + "timestamp '2026-01-01' + n % 4 * interval '1 h' FROM generate_series(1, 11) n")
            let all = try await client.get("/campaigns/?sort=\(sort)&fields=id").text
            var (target, pages): (String?, [String]) = ("/campaigns/?limit=2&sort=\(sort)&fields=id", [])
            while let next = target {
                let answer = try await client.get(next)
                pages.append(String(answer.text.dropFirst().dropLast(2)))
                target = answer.headers[.link].flatMap { $0.firstMatch(of: /<http:\/\/[^\/]*(\/[^>]*)>/)?.output.1 }
                    .map(String.init)
                #expect(pages.count <= 6)
            }
            #expect("[\(pages.joined(separator: ","))]\n" == all && pages.count == 6)
        }
    }

    @Test(arguments: [
        "id=1", "id[ne]=1", "id[in]=1,2", "id[gt]=1", "id[gte]=1", "id[lt]=1", "id[lte]=1", "name=a", "name[ne]=a",
        "name[in]=a,b", "is_active=true", "created_on=2026-01-01", "created_on[gte]=2026-01-01",
        "created_on[lt]=2026-01-01T00:00:00Z", "updated_on[gt]=2026-01-01", "updated_on[lte]=2026-01-01", "q=abc",
    ]) func `every filter uses an index`(filter: String) throws {
        try withApp { client, database in
            try database.sql("INSERT INTO campaign (name) SELECT 'n' FROM generate_series(1, 3)")
            for suffix in ["", "&limit=1", "&sort=-created_on&limit=1", "&count=true"] {
                #expect(try await client.get("/campaigns/?\(filter)\(suffix)").status == .ok)
            }
        }
    }
}

private struct Tagged: Model {
    var id: Int64
    var tags: [String]

    struct Columns: Sendable {
        let id = Column(\Tagged.id, "id", .primaryKey, default: .serial)
        let tags = Column(\Tagged.tags, "tags")
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table("tagged", columns.id, columns.tags, make: Tagged.init)
}
