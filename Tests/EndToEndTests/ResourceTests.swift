import Foundation
import TestSupport
import Testing

/// The campaigns through nginx: killed workers, terminated sessions, slow clients, and compressed responses.
@Suite struct ResourceTests {
    @Test func `a worker that is killed among requests with one idempotency key leaves one row`() throws {
        let stack = try Stack(master: ["--workers", "2"])
        let body = #"{"name":"Once"}"#
        let fields = ["Content-Type: application/json", "Idempotency-Key: a"]
        var statuses: [Int] = []
        for round in 0..<40 {
            if round % 10 == 5 { _ = try? run(["pkill", "-KILL", "-P", String(stack.worker.pid), "-f", "worker"]) }
            let answer = try stack.request("POST", "/campaigns/", headers: fields, body: body)
            statuses.append(answer.status)
        }
        #expect(statuses.contains(201) && statuses.allSatisfy { [201, 409, 502, 503].contains($0) }, "\(statuses)")
        #expect(try stack.campaigns == 1)
    }

    @Test func `when Postgres terminates a session in the middle of a list, clients notice that it is incomplete`()
        throws
    {
        let stack = try Stack()
        try stack.database.sql(
            "INSERT INTO campaign (name, description) SELECT 'n', repeat('x', 1000) FROM generate_series(1, 100000)")
        let list = try Child(
            ["curl", "-s", "-S", "--limit-rate", "4M", "-o", "/dev/null", "http://localhost:\(stack.port)/campaigns/"],
            output: "\(stack.folder.path)/curl.log")
        try waitUntil("the list streams") {
            try stack.database.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND datname = current_database()")
                != "0"
        }
        try stack.database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND datname = current_database()"
        )
        let status = list.wait(seconds: 60)
        #expect(status != nil && status != 0)
        #expect(try stack.get("/campaigns/1").status == 200)
    }

    @Test func `a slow reader of a list does not delay writes`() throws {
        let stack = try Stack(loops: 1)
        try stack.database.sql(
            "INSERT INTO campaign (name, description) SELECT 'n', repeat('x', 1000) FROM generate_series(1, 50000)")
        let readers = try (0..<2).map { index in
            try Child(
                ["curl", "-s", "--limit-rate", "1M", "-o", "/dev/null", "http://localhost:\(stack.port)/campaigns/"],
                output: "\(stack.folder.path)/curl-\(index).log")
        }
        defer { readers.forEach { $0.signal(SIGKILL) } }
        try waitUntil("both lists stream") {
            try stack.database.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND datname = current_database()")
                == "2"
        }
        for _ in 0..<20 {
            let (answer, seconds) = try timed { try stack.post(#"{"name":"a"}"#) }
            #expect(answer.status == 201 && seconds < 1)
        }
    }

    @Test func `an ETag that compression has made weak is accepted, and one of another version is rejected`() throws {
        let stack = try Stack()
        try stack.database.sql("INSERT INTO campaign (name) VALUES ('a')")
        let tag = try #require(try stack.get("/campaigns/1").headers["etag"])
        #expect(tag == "\"1\"")
        #expect(try stack.get("/campaigns/1", headers: ["If-None-Match: W/\(tag)"]).status == 304)
        func patch(_ tag: String) throws -> Answer {
            try stack.request(
                "PATCH", "/campaigns/1", headers: ["Content-Type: application/merge-patch+json", "If-Match: \(tag)"],
                body: #"{"name":"b"}"#)
        }
        #expect(try patch("W/\(tag)").status == 200 && patch(tag).status == 412)
        #expect(try stack.request("DELETE", "/campaigns/1", headers: ["If-Match: \(tag)"]).status == 412)
        let gone = try stack.request("DELETE", "/campaigns/1", headers: ["If-Match: \"2\""])
        #expect(gone.status == 204 && gone.body.isEmpty && gone.headers["content-length"] == nil)
    }
}
