import HTTPTypes
import ORM
import Testing
import Web

@testable import AktifyAPI
@testable import Postgres

@Suite struct HealthTests {
    private func client(
        heads: Set<String>? = ["b2"], _ versions: @escaping @Sendable () async throws -> Set<String>
    ) throws -> TestClient {
        let health = HealthService(heads: heads, versions: versions)
        return TestClient(try createApp(.testing(), campaigns: InMemoryRepository(), health: health))
    }

    @Test func `the process is well whatever the database is`() async throws {
        let answer = try await client { throw PostgresError(.unreachable, message: "secret") }.get("/healthz")
        #expect(answer.status == .ok && answer.text == "{\"status\":\"ok\"}\n")
    }

    @Test func `it is ready when the schema is at the head`() async throws {
        let answer = try await client { ["b2"] }.get("/readyz")
        #expect(answer.status == .ok && answer.text == "{\"status\":\"ready\"}\n")
    }

    @Test(arguments: [([], "base"), (["a1"], "a1"), (["x", "y"], "x, y")] as [(Set<String>, String)])
    func `it is not ready when the schema is elsewhere, and says where`(versions: Set<String>, place: String)
        async throws
    {
        let answer = try await client { versions }.get("/readyz")
        #expect(answer.status == .serviceUnavailable && answer.headers[.retryAfter] == "1")
        #expect(answer.text.contains("The schema is at \(place), not at b2: run aktify db upgrade."))
    }

    @Test func `it is not ready while the database is away`() async throws {
        let answer = try await client { throw PostgresError(.unreachable, message: "secret") }.get("/readyz")
        #expect(answer.status == .serviceUnavailable && !answer.text.contains("secret"))
    }
}
