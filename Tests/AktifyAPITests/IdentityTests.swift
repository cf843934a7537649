import Authentication
import Testing
import Web

@testable import AktifyAPI

@Suite struct IdentityTests {
    @Test func `where nobody has to authenticate, everybody is an admin without a name`() async throws {
        let client = TestClient(try createApp(.testing(), repositories: .inMemory()))
        let answer = try await client.get("/me")
        #expect(answer.status == .ok && answer.text == #"{"name":null,"role":"admin"}"# + "\n")
    }

    @Test(arguments: Role.allCases) func `a client is told its name and its role`(role: Role) async throws {
        let known = Known(principal: Principal(name: "key:\"a\"", role: role))
        let client = TestClient(try createApp(.testing(), repositories: .inMemory(), authenticator: known))
        let answer = try await client.get("/me")
        #expect(answer.status == .ok && answer.text == #"{"name":"key:\"a\"","role":"\#(role.rawValue)"}"# + "\n")
    }
}

/// Takes everybody for one client.
private struct Known: Authenticator {
    let credentials = Credentials.key
    let principal: Principal

    func authenticate(_ request: Request) async throws -> Principal { principal }
}
