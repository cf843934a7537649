import EventLoop
import Foundation
import ORM
import Postgres
import TestSupport
import Testing
import Web

@testable import AktifyAPI

/// Requests during and after an outage of Postgres.
@Suite struct OutageTests {
    @Test func `during an outage, requests that need the database get 503 immediately, and others still work`() throws {
        try Loop.run {
            let config = try Config(environment: ["AUTH": "off", "POSTGRES_HOST": "/nowhere"], readFile: { _ in nil })
            let client = TestClient(try createApp(config))
            _ = try await client.get("/campaigns/")
            for _ in 0..<100 {
                let start = Instant.now
                let answer = try await client.get("/campaigns/")
                #expect(answer.status == .serviceUnavailable && answer.headers[.retryAfter] == "1")
                #expect(!answer.text.contains("nowhere"))
                #expect(Instant.now.duration(since: start) < .milliseconds(50))
            }
            #expect(try await client.get("/").status == .ok)
            #expect(try await client.get("/campaigns/abc").status == .unprocessableContent)
            #expect(try await client.post("/campaigns/", "{}").status == .unprocessableContent)
        }
    }

    @Test func `after an outage, the database is used again within a second`() throws {
        let folder = try Folder()
        let cluster = "\(folder.path)/c"
        func start() throws -> String {
            try run(["scripts/cluster", "start", cluster, "--watch", String(getpid())])
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let host = try start()
        defer { _ = try? runToEnd(["scripts/cluster", "stop", cluster]) }
        let configuration = DatabaseConfiguration(
            server: .parts(host: host, port: 5432, user: "postgres", password: "", database: "postgres"))
        nonisolated(unsafe) let restart = start  // Safe: called once, by one task.
        try Loop.run {
            let loop = try #require(Loop.current)
            let database = Database(configuration)
            func works() async -> Bool { (try? await database.read("SELECT 1")) != nil }
            #expect(await works())
            _ = try run(["scripts/cluster", "stop", cluster])
            for _ in 0..<20 {
                #expect(await !works())
                try await loop.sleep(for: .milliseconds(100))
            }
            _ = try restart()
            let start = Instant.now
            while await !works(), Instant.now.duration(since: start) < .seconds(5) {
                try await loop.sleep(for: .milliseconds(20))
            }
            #expect(Instant.now.duration(since: start) < .seconds(1))
        }
    }
}
