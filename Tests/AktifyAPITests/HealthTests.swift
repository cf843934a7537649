import HTTPTypes
import ORM
import Testing
import Web

@testable import AktifyAPI
@testable import Postgres

@Suite struct HealthTests {
    private func client(
        applied: [String: String] = [:], _ versions: @escaping @Sendable () async throws -> Set<String>
    ) throws -> TestClient {
        let schema = SchemaCheck(heads: ["b2"], revisions: ["a1", "b2"])
        let health = HealthService(schema: schema, versions: versions, applied: { applied })
        return TestClient(try createApp(.testing(), repositories: .inMemory(), health: health))
    }

    @Test func `the service is alive regardless of the database`() async throws {
        let answer = try await client { throw PostgresError(.unreachable, message: "secret") }.get("/healthz")
        #expect(answer.status == .ok && answer.text == "{\"status\":\"ok\"}\n")
    }

    @Test func `the service is ready when the schema is at the head`() async throws {
        let answer = try await client { ["b2"] }.get("/readyz")
        #expect(answer.status == .ok && answer.text == "{\"status\":\"ready\"}\n")
    }

    @Test(arguments: [([], "base"), (["a1"], "a1")] as [(Set<String>, String)])
    func `the service is not ready when the schema is behind, and reports its revision`(
        versions: Set<String>, revision: String
    ) async throws {
        let answer = try await client { versions }.get("/readyz")
        #expect(answer.status == .serviceUnavailable && answer.headers[.retryAfter] == "1")
        #expect(answer.text.contains("The database's schema is at \(revision), behind b2: run aktify db upgrade."))
    }

    @Test(arguments: [["c3"], ["d4"], ["b2", "x9"]] as [Set<String>])
    func `the service is ready when newer revisions of the schema are compatible`(versions: Set<String>) async throws {
        let applied = ["a1": "ours", "b2": "", "c3": "", "d4": "", "x9": ""]
        let answer = try await client(applied: applied) { versions }.get("/readyz")
        #expect(answer.status == .ok && answer.text == "{\"status\":\"ready\"}\n")
    }

    @Test func `the service is not ready when a newer revision breaks it, and reports the reason`() async throws {
        let applied = ["a1": "", "b2": "", "c3": "name is gone", "d4": ""]
        let answer = try await client(applied: applied) { ["d4"] }.get("/readyz")
        #expect(answer.status == .serviceUnavailable)
        #expect(
            answer.text.contains(
                "The database's schema has a newer revision that breaks this program: c3 (name is gone). Update the program."
            ))
    }

    @Test(
        arguments: [
            ["x9": ""], [:], ["a1": "", "b2": ""], ["a1": "", "x9": ""],
        ] as [[String: String]])
    func `the service is not ready when the schema has an unknown history`(applied: [String: String]) async throws {
        let answer = try await client(applied: applied) { ["x9"] }.get("/readyz")
        #expect(answer.status == .serviceUnavailable)
        #expect(
            answer.text.contains(
                "is at revision x9, which this program does not know and which might not descend from b2: run the "
                    + "release that"))
    }

    @Test func `the service is not ready while the database is unreachable`() async throws {
        let answer = try await client { throw PostgresError(.unreachable, message: "secret") }.get("/readyz")
        #expect(answer.status == .serviceUnavailable && !answer.text.contains("secret"))
    }
}
