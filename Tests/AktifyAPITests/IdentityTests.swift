import Authentication
import Testing
import Web

@testable import AktifyAPI

@Suite struct IdentityTests {
    @Test func `without authentication every client is an admin without a name`() async throws {
        let client = TestClient(try createApp(.testing(), repositories: .inMemory()))
        let answer = try await client.get("/me")
        #expect(answer.status == .ok && answer.text == #"{"name":null,"role":"admin"}"# + "\n")
    }

    @Test(arguments: Role.allCases) func `the response contains the name and the role of the client`(role: Role)
        async throws
    {
        let authenticator = FixedAuthenticator(principal: Principal(name: "key:\"a\"", role: role))
        let client = TestClient(try createApp(.testing(), repositories: .inMemory(), authenticator: authenticator))
        let answer = try await client.get("/me")
        #expect(answer.status == .ok && answer.text == #"{"name":"key:\"a\"","role":"\#(role.rawValue)"}"# + "\n")
    }
}

/// Authenticates every request as the same principal.
private struct FixedAuthenticator: Authenticator {
    let credentials = Credentials.key
    let principal: Principal

    func authenticate(_ request: Request) async throws -> Principal { principal }
}
