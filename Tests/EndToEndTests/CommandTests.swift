import Foundation
import TestSupport
import Testing

/// The commands `explain` and `routes`: their output, and that they have no side effects.
@Suite struct CommandTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
        try run([Stack.program, "db", "upgrade"], environment: database.environment)
    }

    private func aktify(_ arguments: String...) throws -> (status: Int32, output: String) {
        try runToEnd([Stack.program] + arguments, environment: database.environment)
    }

    private func state() throws -> String {
        try database.sql(
            "SELECT count(*) || ' ' || (SELECT last_value || ' ' || is_called FROM campaign_id_seq) FROM campaign")
    }

    @Test(arguments: [3, 5000]) func `a request for one campaign is one statement that uses an index`(rows: Int) throws
    {
        try database.sql("INSERT INTO campaign (name) SELECT 'c' FROM generate_series(1, \(rows)); ANALYZE campaign")
        let (status, output) = try aktify("explain", "GET", "/campaigns/1")
        #expect(status == 0)
        #expect(output.hasPrefix("GET /campaigns/1 -> 200, 1 statement\n\n1. SELECT id, name"))
        #expect(output.contains("$1 = 1\n") && output.contains("at ORM/ResourceService.swift:"))
        #expect(output.contains("Index Scan using campaign_pkey on campaign (id = '1'::bigint): 1 row, "))
        #expect(output.contains("at its current size, Postgres uses a sequential scan of campaign") == (rows == 3))
        #expect(!output.contains("Warning") && output.contains("Total: "))
    }

    @Test func `a write is explained too, and changes nothing, not even the sequence`() throws {
        try database.sql("INSERT INTO campaign (name) VALUES ('One')")
        let before = try state()
        let (status, output) = try aktify("explain", "POST", "/campaigns/", #"{"name":"it's"}"#)
        #expect(status == 0 && output.contains("-> 201, 1 statement") && output.contains("$1 = it's\n"))
        #expect(try state() == before)
        let refused = try aktify("explain", "POST", "/campaigns/", "{}")
        #expect(refused.status == 0 && refused.output.contains("-> 422, 0 statements"))
        #expect(try state() == before)
    }

    @Test func `a statement that fails is shown with its error, and the exit status is 1`() throws {
        try database.sql("ALTER TABLE campaign ADD CONSTRAINT no_x CHECK (name <> 'x')")
        let before = try state()
        let (status, output) = try aktify("explain", "POST", "/campaigns/", #"{"name":"x"}"#)
        #expect(status == 1 && output.contains(", 1 statement\n\n1. INSERT INTO campaign"))
        #expect(output.contains("$1 = x\n") && output.contains("   at ORM/ResourceService.swift:"))
        #expect(output.contains("   failed: 23514: ") && output.contains("no_x"))
        let text = try aktify("explain", "POST", "/campaigns/", #"{"name":"x"}"#, "--json").output
        let line = try #require(text.split(separator: "\n").last { $0.hasPrefix("{\"request\"") })
        let json = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let statement = try #require((json["statements"] as? [[String: Any]])?.first)
        #expect((statement["error"] as? String)?.hasPrefix("23514: ") == true && statement["plan"] is NSNull)
        try database.sql("DROP TABLE campaign")
        let gone = try aktify("explain", "GET", "/campaigns/")
        #expect(
            gone.status == 1 && gone.output.contains("-> 500, 1 statement")
                && gone.output.contains("   failed: 42P01: "))
        #expect(before == "0 1 false")
    }

    @Test func `there is a warning about a scan of many rows`() throws {
        try database.sql(
            "INSERT INTO campaign (name) SELECT 'c' FROM generate_series(1, 2000); ALTER TABLE campaign DROP CONSTRAINT campaign_pkey"
        )
        let output = try aktify("explain", "GET", "/campaigns/").output
        #expect(output.contains("Warning: statement 1 scans all 2000 rows of campaign"))
    }

    @Test func `explain prints JSON on request`() throws {
        try database.sql("INSERT INTO campaign (name) VALUES ('One')")
        let output = try aktify("explain", "GET", "/campaigns/1", "--json").output
        let json = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        #expect(json["status"] as? Int == 200 && (json["warnings"] as? [String])?.isEmpty == true)
        let statements = try #require(json["statements"] as? [[String: Any]])
        #expect(statements.count == 1 && statements[0]["parameters"] as? [String] == ["1"])
        #expect(((statements[0]["plan"] as? [[String: Any]])?.first?["Plan"] as? [String: Any])?["Node Type"] != nil)
    }

    @Test func `routes are listed with their statements, without a database`() throws {
        let (status, output) = try runToEnd([Stack.program, "routes"], environment: ["POSTGRES_HOST": "/nowhere"])
        #expect(status == 0)
        for line in [
            "GET     /                           root            open    primary\n",
            "GET     /readyz                     root            open    primary preferred\n",
            "GET     /campaigns/<id>             campaigns       reader  replica preferred\n        SELECT id,",
            "POST    /campaigns/                 campaigns       editor  primary\n        INSERT INTO campaign",
        ] { #expect(output.contains(line)) }
    }

    @Test(arguments: [["explain", "GET", "campaigns"], ["explain", "G T", "/"], ["explain", "GET"], ["nothing"]])
    func `an invalid command line is an error in one sentence`(arguments: [String]) throws {
        let (status, output) = try runToEnd([Stack.program] + arguments, environment: database.environment)
        #expect(status != 0 && output.hasPrefix("Error: "))
    }

    @Test func `statements are logged by request, and slow ones always, without their values`() throws {
        let stack = try Stack(loops: 1, environment: ["LOG_QUERIES": "1", "SLOW_QUERY_MS": "0"])
        #expect(try stack.post(#"{"name":"secret"}"#).status == 201)
        #expect(try stack.get("/campaigns/1", headers: ["X-Request-Id: me"]).status == 200)
        try waitUntil("both are logged: \(stack.worker.log)") { stack.worker.log.contains(#""request_id":"me""#) }
        let log = stack.worker.log
        #expect(log.contains("GET /campaigns/1: 1 query, ") && log.contains(#"\n  1. SELECT id, name"#))
        #expect(log.contains("POST /campaigns/: 1 query, ") && log.contains("slow statement: INSERT INTO campaign"))
        #expect(!log.contains("secret"))
        let slow = log.split(separator: "\n").first { $0.contains("slow statement: SELECT id, name") }
        #expect(slow?.contains(#""request":"GET /campaigns/1","request_id":"me""#) == true, "\(slow ?? "")")
    }
}
