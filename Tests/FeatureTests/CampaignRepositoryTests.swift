import EventLoop
import Foundation
import Migrations
import ORM
import TestSupport
import Testing
import Web

@testable import AktifyAPI

/// The same behaviour is asked of the fake and of the real repository, so that the fake cannot drift.
@Suite struct CampaignRepositoryTests {
    enum Kind: CaseIterable { case inMemory, postgres }

    private func with(_ kind: Kind, _ body: @escaping @Sendable (any CampaignRepository) async throws -> Void) throws {
        switch kind {
        case .inMemory: try Loop.run { try await body(InMemoryCampaignRepository()) }
        case .postgres:
            let configuration = try migratedDatabase().configuration()
            try Loop.run { try await body(PostgresCampaignRepository(database: Database(configuration))) }
        }
    }

    @Test(arguments: Kind.allCases) func `an empty repository has nothing`(kind: Kind) throws {
        try with(kind) { campaigns in
            let (all, first) = (try await campaigns.all(), try await campaigns.find(1))
            #expect(all.isEmpty && first == nil)
        }
    }

    @Test(arguments: Kind.allCases) func `what is added is found, and is as it was said to be`(kind: Kind) throws {
        try with(kind) { campaigns in
            let drafts = [
                Campaign.Draft(name: "é😀\"\\"),
                Campaign.Draft(name: String(repeating: "x", count: 255), description: "d", isActive: false),
            ]
            for draft in drafts {
                let added = try await campaigns.add(draft)
                #expect(
                    added.name == draft.name && added.description == draft.description
                        && added.isActive == draft.isActive)
                #expect(added.createdOn == added.updatedOn)
                #expect(try await campaigns.find(added.id) == added)
            }
        }
    }

    @Test(arguments: Kind.allCases) func `the list is in the order of the ids`(kind: Kind) throws {
        try with(kind) { campaigns in
            var ids: [Int64] = []
            for number in 0..<20 { ids.append(try await campaigns.add(Campaign.Draft(name: "\(number)")).id) }
            #expect(ids == ids.sorted() && Set(ids).count == 20)
            #expect(try await campaigns.all().map(\.id) == ids)
        }
    }

    @Test func `the whole application answers from Postgres`() throws {
        let database = try migratedDatabase()
        try Loop.run {
            let config = try Config(environment: database.environment, readFile: { _ in nil })
            let client = TestClient(try createApp(config))
            let made = try await client.post("/campaigns/", #"{"name":"Spring","description":"x","is_active":true}"#)
            #expect(made.status == .created)
            #expect(made.headers[.location] == "http://localhost:5051/campaigns/1")
            #expect(try await client.get("/campaigns/1").text == made.text)
            #expect(try await client.get("/campaigns/").text == "[" + made.text.dropLast() + "]\n")
            #expect(try await client.get("/campaigns/2").status == .notFound)
        }
    }

    @Test func `while the database is away, what needs it is 503, and the rest goes on`() throws {
        try Loop.run {
            let config = try Config(environment: ["POSTGRES_HOST": "/nowhere"], readFile: { _ in nil })
            let client = TestClient(try createApp(config))
            for _ in 0..<2 {
                let answer = try await client.get("/campaigns/")
                #expect(answer.status == .serviceUnavailable)
                #expect(answer.headers[.retryAfter] == "1")
                #expect(!answer.text.contains("nowhere"))
            }
            #expect(try await client.get("/").status == .ok)
            #expect(try await client.get("/campaigns/abc").status == .unprocessableContent)
            #expect(try await client.post("/campaigns/", "{}").status == .unprocessableContent)
        }
    }

    private func migratedDatabase() throws -> TestDatabase {
        let database = try TestDatabase()
        let graph = try ScriptDirectory("\(checkout)/migrations").graph()
        let configuration = database.configuration()
        try Loop.run { try await Migrator(graph: graph, configuration: configuration) { _ in }.upgrade() }
        return database
    }
}
