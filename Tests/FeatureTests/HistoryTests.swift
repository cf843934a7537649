import EventLoop
import HTTPTypes
import ORM
import SQL
import TestSupport
import Testing
import Web

@testable import AktifyAPI

/// The change records of the in-memory and the Postgres repository, which must agree, and the features that only the
/// Postgres repository has.
@Suite struct HistoryTests {
    typealias Kind = RepositoryKind

    private static func changes(
        _ rows: any Repository<Campaign>, _ id: Int64, before position: Int64 = .max, limit: Int = 100
    ) async throws -> [ChangeRecord<Campaign>] {
        try await rows.history(of: id, before: position, limit: limit, #fileID, #line)
    }

    @Test(arguments: Kind.allCases) func `each change has its author, its request, and the row before and after it`(
        kind: Kind
    ) throws {
        try kind.with { rows in
            let (ada, bob) = (
                ChangeAuthor(name: "key:ada", requestID: "r1"), ChangeAuthor(name: nil, requestID: "r2")
            )
            let first = try await ChangeAuthor.$current.withValue(ada) {
                try await rows.insert(ColumnValues(name: "a"))
            }
            let second = try await ChangeAuthor.$current.withValue(bob) {
                try await rows.update(
                    first.id, [Campaign.columns.name.set(to: "b")], if: Campaign.columns.version == 1, #fileID, #line
                ).row
            }
            let gone = try await rows.delete(first.id, if: nil, #fileID, #line).row
            let changes = try await Self.changes(rows, first.id)
            #expect(changes.map(\.operation) == [.delete, .update, .insert])
            #expect(changes.map(\.before) == [second, first, nil] && changes.map(\.after) == [nil, second, first])
            #expect(gone == second)
            #expect(changes.map(\.requestID) == [nil, "r2", "r1"])
            #expect(changes[1].author == nil && changes[2].author == "key:ada")
            #expect(changes[0].author?.hasPrefix("role:") == true)
            #expect(changes.map(\.id) == changes.map(\.id).sorted(by: >))
        }
    }

    @Test(arguments: Kind.allCases) func `a change of many rows is recorded for each of them`(kind: Kind) throws {
        try kind.with { rows in
            let ids = try await rows.insert(many: (0..<5).map { ColumnValues(name: "\($0)") }).map(\.id)
            let key = IdempotencyKey(scope: "s", key: "k", request: [])
            guard
                case .rows(let once) = try await rows.insert(
                    many: [ColumnValues(name: "once")], once: key, #fileID, #line),
                case .rows = try await rows.insert(many: [ColumnValues(name: "once")], once: key, #fileID, #line)
            else {
                Issue.record("it was not inserted")
                return
            }
            _ = try await rows.update(
                all: Campaign.where { $0.id.isIn(ids) }, [Campaign.columns.isActive.set(to: false)], #fileID, #line)
            _ = try await rows.delete(all: Campaign.where { $0.id.isIn(Array(ids.prefix(2))) }, #fileID, #line)
            for (index, id) in ids.enumerated() {
                let operations = try await Self.changes(rows, id).map(\.operation)
                #expect(operations == (index < 2 ? [.delete, .update, .insert] : [.update, .insert]))
            }
            #expect(try await Self.changes(rows, once[0].id).map(\.operation) == [.insert])
        }
    }

    @Test(arguments: Kind.allCases) func `a refused change, or one without effect, is not recorded`(kind: Kind) throws {
        try kind.with { rows in
            let row = try await rows.insert(ColumnValues(name: "a"))
            _ = try await rows.update(row.id, [], if: nil, #fileID, #line)
            _ = try await rows.update(
                row.id, [Campaign.columns.name.set(to: "b")], if: Campaign.columns.version == 9, #fileID, #line)
            _ = try? await rows.insert(ColumnValues(name: String(repeating: "x", count: 300)))
            #expect(try await Self.changes(rows, row.id).count == 1)
            #expect(try await Self.changes(rows, row.id + 1).isEmpty)
        }
    }

    @Test(arguments: Kind.allCases) func `each page begins where the previous one ends`(kind: Kind) throws {
        try kind.with { rows in
            let row = try await rows.insert(ColumnValues(name: "0"))
            for index in 1...9 {
                _ = try await rows.update(
                    row.id, [Campaign.columns.name.set(to: "\(index)")], if: nil, #fileID, #line)
            }
            var (position, names) = (Int64.max, [String]())
            while let last = try await Self.changes(rows, row.id, before: position, limit: 4).map({ change in
                names.append(change.after?.name ?? "")
                return change.id
            }).last { position = last }
            #expect(names == (0...9).reversed().map { "\($0)" })
        }
    }

    @Test func `a transaction that is rolled back leaves no record, and one that commits leaves all`() throws {
        let configuration = try migratedDatabase().configuration()
        try Loop.run {
            let database = Database(configuration)
            let rows = PostgresRepository<Campaign>(database)
            let author = ChangeAuthor(name: "key:ada", requestID: "r")
            struct Undo: Error {}
            try await ChangeAuthor.$current.withValue(author) {
                try? await database.transaction { inner in
                    _ = try await inner.insert(ColumnValues<Campaign>(name: "a"))
                    throw Undo()
                }
                try await database.transaction { inner in
                    let row = try await inner.insert(ColumnValues<Campaign>(name: "b"))
                    try await inner.transaction { nested in
                        _ = try await nested.update(
                            [Campaign.columns.name.set(to: "c")], where: { _ in Campaign.primaryKey == row.id })
                    }
                }
            }
            #expect(try await Self.changes(rows, 1).isEmpty)
            let changes = try await Self.changes(rows, 2)
            #expect(changes.map(\.operation) == [.update, .insert] && changes.allSatisfy { $0.author == "key:ada" })
            // The connection is reused, and has no author any more.
            _ = try await rows.delete(2, if: nil, #fileID, #line)
            #expect(try await Self.changes(rows, 2).first?.author == "role:postgres")
        }
    }

    @Test func `columns added since have their defaults, and dropped columns are left out`()
        throws
    {
        let database = try migratedDatabase()
        let configuration = try database.configuration()
        try database.sql("INSERT INTO campaign (name) VALUES ('a')")
        try database.sql("UPDATE change_record SET after = after - 'description' - 'version' || '{\"budget\": 7}'")
        try Loop.run {
            let rows = PostgresRepository<Campaign>(Database(configuration))
            let row = try await Self.changes(rows, 1).first?.after
            #expect(row?.description == "" && row?.version == 1 && row?.name == "a")
        }
    }

    @Test func `a model may have columns that are called like those of a record`() throws {
        let database = try migratedDatabase()
        try database.sql(Entry.table.definition.creation.joined(separator: ";"))
        let configuration = try database.configuration()
        try Loop.run {
            let rows = PostgresRepository<Entry>(Database(configuration))
            let row = try await rows.insert(
                ColumnValues([Entry.columns.author.set(to: "ada"), Entry.columns.place.set(to: 7)]))
            let changes = try await rows.history(of: row.id, before: .max, limit: 10, #fileID, #line)
            #expect(changes.map(\.after) == [row] && changes.map(\.author) == ["role:postgres"])
        }
    }

    @Test func `changes made with psql are recorded with the role as author`() throws {
        try withApp { client, database in
            try database.sql("INSERT INTO campaign (name) VALUES ('by hand')")
            let answer = try await client.get("/campaigns/1/history")
            #expect(answer.text.contains(#""author":"role:postgres""#) && answer.text.contains(#""request_id":null"#))
        }
    }

    @Test func `over HTTP the history is an array, with a link to earlier changes, and outlives its row`() throws {
        try withApp { client, _ in
            _ = try await client.post("/campaigns/", #"{"name":"a"}"#)
            for name in ["b", "c"] {
                _ = try await client.send(
                    .patch, "/campaigns/1", headers: [.contentType: "application/json"], body: "{\"name\":\"\(name)\"}")
            }
            let first = try await client.get("/campaigns/1/history?limit=2")
            #expect(first.status == .ok && first.text.hasPrefix(#"[{"after":{"created_on":"#))
            #expect(first.text.contains(#""author":null"#) && !first.text.contains("version"))
            #expect(first.headers[.link]?.contains("/campaigns/1/history?limit=2&cursor=2>; rel=\"next\"") == true)
            let rest = try await client.get("/campaigns/1/history?limit=2&cursor=2")
            #expect(rest.text.contains(#""before":null"#) && rest.headers[.link] == nil)
            _ = try await client.send(.delete, "/campaigns/1")
            #expect(try await client.get("/campaigns/1/history").text.hasPrefix(#"[{"after":null"#))
        }
    }

    @Test func `a page ends after 1 MiB, whatever its limit`() throws {
        try withApp { client, database in
            try database.sql("INSERT INTO campaign (name, description) VALUES ('wide', repeat('x', 900000))")
            for index in 0..<5 { try database.sql("UPDATE campaign SET name = '\(index)'") }
            var (target, pages, names) = (Optional("/campaigns/1/history?limit=100"), 0, [String]())
            while let next = target {
                let answer = try await client.get(next)
                #expect(answer.status == .ok && answer.text.utf8.count < 4 << 20)
                names += answer.text.matches(of: /"name":"(\w+)"/).map { String($0.output.1) }
                target = answer.headers[.link].flatMap {
                    $0.firstMatch(of: /(\/campaigns.*)>/).map { String($0.output.1) }
                }
                pages += 1
            }
            #expect(pages == 6 && names.count == 11)
        }
    }

    @Test func `records have the time in UTC, and other roles cannot create recording triggers`() throws {
        let database = try migratedDatabase()
        try database.sql("SET timezone = 'America/New_York'; INSERT INTO campaign (name) VALUES ('a')")
        #expect(
            try database.sql(
                "SELECT abs(extract(epoch FROM now() AT TIME ZONE 'UTC' - changed_on)) < 60 FROM change_record") == "t")
        #expect(try database.sql("SELECT has_function_privilege('pg_monitor', 'record_change()', 'EXECUTE')") == "f")
    }

    @Test func `a row without records has an empty history, and a missing row is answered with 404`() throws {
        try withApp { client, database in
            try database.sql("INSERT INTO campaign (name) VALUES ('old')")
            try database.sql("DELETE FROM change_record")
            #expect(try await client.get("/campaigns/1/history").text == "[]\n")
            #expect(try await client.get("/campaigns/2/history").status == .notFound)
            #expect(try await client.get("/campaigns/x/history").status == .unprocessableContent)
            for query in [
                "limit=0", "limit=101", "limit=x", "limit=%2B5", "limit=1&limit=2", "cursor=-1", "cursor=0", "cursor=x",
                "cursor=", "cursor=%2B5", "cursor=5&cursor=6",
            ] {
                #expect(
                    try await client.get("/campaigns/1/history?\(query)").status == .unprocessableContent, "\(query)")
            }
            let strict: HeaderFields = [.prefer: "handling=strict"]
            #expect(try await client.get("/campaigns/1/history?x=1").status == .ok)
            let unknown = try await client.send(.get, "/campaigns/1/history?x=1", headers: strict)
            #expect(unknown.status == .unprocessableContent)
            let known = try await client.send(.get, "/campaigns/1/history?limit=1&cursor=5", headers: strict)
            #expect(known.status == .ok && known.headers[.preferenceApplied] == "handling=strict")
        }
    }
}

private struct Entry: Model, Equatable {
    var id: Int64
    var author: String
    var place: Int64

    struct Columns: Sendable {
        let id = Column(\Entry.id, "id", .primaryKey, default: .serial)
        let author = Column(\Entry.author, "author")
        let place = Column(\Entry.place, "place")
    }

    static let columns = Columns()
    static let primaryKey = columns.id
    static let table = Table(
        "entry", columns.id, columns.author, columns.place, recordsChanges: true, make: Entry.init)
}
