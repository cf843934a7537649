import EventLoop
import HTTPTypes
import ORM
import TestSupport
import Testing
import Web

@testable import AktifyAPI

/// Behaviour of a resource that needs a real database: concurrent writers, concurrent idempotency keys, long lists.
@Suite struct ResourceTests {
    @Test func `of four writers with one ETag exactly one wins, fifty times`() throws {
        try withApp(["POSTGRES_CONNECTIONS": "5"]) { client, database in
            try database.sql("INSERT INTO campaign (name) VALUES ('a')")
            for round in 1...50 {
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for writer in 0..<4 {
                        group.addTask {
                            let headers: HeaderFields = [.contentType: "application/json", .ifMatch: "\"\(round)\""]
                            return try await client.send(
                                .patch, "/campaigns/1", headers: headers, body: "{\"name\":\"w\(writer)\"}"
                            ).status.code
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.sorted() == [200, 412, 412, 412])
            }
            #expect(try database.sql("SELECT version FROM campaign") == "51")
        }
    }

    @Test
    func `of fifty concurrent requests with one idempotency key, one creates a row, and all get the same response`()
        throws
    {
        try withApp(["POSTGRES_CONNECTIONS": "10"]) { client, database in
            let answers = try await withThrowingTaskGroup(of: RecordingClient.Answer.self) { group in
                for _ in 0..<50 {
                    group.addTask { try await client.create(#"{"name":"Once"}"#, key: "a") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let made = answers.filter { $0.status == .created }
            #expect(!made.isEmpty && answers.allSatisfy { [201, 409].contains($0.status.code) })
            #expect(Set(made.map(\.text)).count == 1 && Set(made.map { $0.headers[.location] }).count == 1)
            #expect(try database.sql("SELECT count(*) FROM campaign") == "1")
            let replay = try await client.create(#"{"name":"Once"}"#, key: "a")
            #expect(replay.text == made.first?.text && replay.headers[.eTag] == "\"1\"")
        }
    }

    @Test func `a replay returns the first response, even if the row has changed or was deleted`() throws {
        try withApp { client, database in
            let first = try await client.create(#"{"name":"é\u0001😀","description":"\\"}"#, key: "a")
            #expect(first.status == .created)
            try database.sql("UPDATE campaign SET name = 'other', version = 9")
            let second = try await client.create(#"{"name":"é\u0001😀","description":"\\"}"#, key: "a")
            try database.sql("DELETE FROM campaign")
            let third = try await client.create(#"{"name":"é\u0001😀","description":"\\"}"#, key: "a")
            #expect(first.text == second.text && first.text == third.text)
            #expect(second.headers[.eTag] == "\"1\"" && third.headers[.location] == first.headers[.location])
            #expect(try await client.create(#"{"name":"b"}"#, key: "a").status == .unprocessableContent)
            #expect(try await client.create(#"[{"name":"b"},{"name":"c"}]"#, key: "b").status == .created)
            #expect(try await client.create(#"[{"name":"b"},{"name":"c"}]"#, key: "b").status == .created)
            #expect(try database.sql("SELECT string_agg(name, '' ORDER BY id) FROM campaign") == "bc")
        }
    }

    @Test func `a retry after a migration that added a column gets the stored row with the column's default`() throws {
        try withApp { client, database in
            let first = try await client.create(#"{"name":"once"}"#, key: "k")
            try database.sql("UPDATE idempotency_key SET answer = jsonb_build_array(answer -> 0 #- '{description}')")
            let retry = try await client.create(#"{"name":"once"}"#, key: "k")
            #expect(first.status == .created && retry.status == .created && retry.text == first.text)
        }
    }

    @Test
    func `a key in use is rejected with 409, the key of a refused request can be reused, and keys expire after a day`()
        throws
    {
        try withApp { client, database in
            let lock = "SELECT pg_advisory_lock(hashtextextended('/campaigns/ a', 0)), pg_sleep(1)"
            async let locked = Loop.current?.offload { try database.sql(lock) }
            try await Loop.current?.sleep(for: .milliseconds(300))
            let busy = try await client.create(#"{"name":"a"}"#, key: "a")
            #expect(busy.status == .conflict && busy.headers[.retryAfter] == "1")
            _ = try await locked
            #expect(try await client.create(#"{"name":""}"#, key: "a").status == .unprocessableContent)
            #expect(try await client.create(#"{"name":"a"}"#, key: "a").status == .created)
            try database.sql("UPDATE idempotency_key SET created_on = now() - interval '25 hours'")
            try database.sql(
                "INSERT INTO idempotency_key SELECT 's', n::text, '', '[]', timestamp '2020-01-01' FROM generate_series(1, 25) n"
            )
            #expect(try await client.create(#"{"name":"b"}"#, key: "a").status == .created)
            #expect(try database.sql("SELECT string_agg(name, '' ORDER BY id) FROM campaign") == "ab")
            #expect(try database.sql("SELECT count(*) FROM idempotency_key") == "16")
        }
    }

    @Test(arguments: [0, 1, 100, 101, 1000, 1001, 5000])
    func `a list without a limit has every row once, however long it is, as JSON and as CSV`(count: Int) throws {
        try withApp { client, database in
            try database.sql("INSERT INTO campaign (name) SELECT 'n' || n FROM generate_series(1, \(count)) n")
            let ids = (1...max(1, count)).prefix(count).map(String.init)
            for _ in 0..<3 {
                let list = try await client.get("/campaigns/?fields=id")
                #expect(list.text == "[" + ids.map { "{\"id\":\($0)}" }.joined(separator: ",") + "]\n")
                let csv = try await client.send(.get, "/campaigns/?fields=id,name", headers: [.accept: "text/csv"])
                #expect(csv.text == (["id,name"] + ids.map { "\($0),n\($0)" }).map { $0 + "\r\n" }.joined())
            }
            let total = try await client.get("/campaigns/?count=true&q=N1").headers[.totalCount]
            #expect(total == (try database.sql("SELECT count(*) FROM campaign WHERE name LIKE 'n1%'")))
        }
    }

    @Test func `a stream that fails before its first chunk is an error response, not a partial list`() throws {
        try withApp { client, database in
            try database.sql("INSERT INTO campaign (name) SELECT 'n' FROM generate_series(1, 150)")
            #expect(try await client.get("/campaigns/").status == .ok)
            try database.sql("ALTER TABLE campaign RENAME TO elsewhere")
            #expect(try await client.get("/campaigns/").status == .internalServerError)
        }
    }

    @Test func `rows are changed and deleted by a filter, and their number is returned`() throws {
        try withApp { client, database in
            try database.sql("INSERT INTO campaign (name) SELECT 'n' || n FROM generate_series(1, 5) n")
            let changed = try await client.send(
                .patch, "/campaigns/?id[in]=1,2,99", headers: [.contentType: "application/merge-patch+json"],
                body: #"{"is_active":false}"#)
            #expect(changed.text == "{\"affected\":2}\n")
            #expect(try database.sql("SELECT sum(version) FROM campaign") == "7")
            #expect(try await client.send(.delete, "/campaigns/?is_active=false").text == "{\"affected\":2}\n")
            #expect(try await client.send(.delete, "/campaigns/").status == .unprocessableContent)
            #expect(try await client.send(.delete, "/campaigns/?q=").status == .unprocessableContent)
            #expect(try await client.send(.delete, "/campaigns/?nmae=n1").status == .unprocessableContent)
            #expect(try database.sql("SELECT count(*) FROM campaign") == "3")
        }
    }
}

extension RecordingClient {
    fileprivate func create(_ body: String, key: String) async throws -> Answer {
        let headers: HeaderFields = [.contentType: "application/json", .idempotencyKey: key]
        return try await send(.post, "/campaigns/", headers: headers, body: body)
    }
}
